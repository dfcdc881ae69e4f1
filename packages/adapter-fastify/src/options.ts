/** What the plugin may be told. Unknown names are errors: a typo must not silently turn something off. */
import { refuseUnknownOptions, type Engine } from "@gatehouse/core";
import {
  passageSettingsOf,
  requireFunction,
  type PassageSettings,
  type UpgradeHandler,
} from "@gatehouse/node-http";

export interface GatehouseOptions {
  readonly engine: Engine;
  /**
   * Bytes of an answer that are kept in memory while a response rule needs the whole of it; one that is larger is withheld with
   * 500. Default 8 MiB. Answers that no rule reads stream through, whatever their size.
   */
  readonly responseLimit?: number;
  /**
   * What no decision event can carry: an answer that was cut off, a server that cannot be guarded, gaps between the application's routes
   * and the policy's. Default: `process.emitWarning`.
   */
  readonly onError?: (error: unknown) => void;
  /** Takes upgrades on routes with `upgrade`; without it they are answered 501. */
  readonly onUpgrade?: UpgradeHandler;
  /**
   * What becomes of a difference between the application's routes and the policy's: `warn` (default): told to `onError`, once, when
   * the application is ready. `strict`: the application does not become ready. `off`: nobody looks.
   */
  readonly inventory?: "warn" | "strict" | "off";
}

export interface GatehouseSettings extends PassageSettings {
  readonly engine: Engine;
  readonly onUpgrade: UpgradeHandler | undefined;
  readonly inventory: "warn" | "strict" | "off";
}

const NAMES = ["engine", "responseLimit", "onError", "onUpgrade", "inventory"] as const;
const INVENTORY: readonly unknown[] = ["warn", "strict", "off"];

/** @throws TypeError naming the option that is wrong, and the nearest that there is */
export function settingsOf(options: GatehouseOptions): GatehouseSettings {
  refuseUnknownOptions(options, NAMES);
  const { engine, onUpgrade, inventory = "warn" } = options;
  // A caller in JavaScript may leave it out.
  if (typeof (engine as Partial<Engine> | undefined)?.bind !== "function") {
    throw new TypeError("`engine` is not an engine: register as `app.register(gatehouse, { engine })`");
  }
  if (onUpgrade !== undefined) requireFunction("onUpgrade", onUpgrade);
  if (!INVENTORY.includes(inventory)) {
    throw new TypeError("`inventory` is none of `warn`, `strict` and `off`");
  }
  return { ...passageSettingsOf(options), engine, onUpgrade, inventory };
}
