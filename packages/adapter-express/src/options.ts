/** What the guard may be told. Unknown names are errors: a typo must not silently turn something off. */
import { refuseUnknownOptions } from "@gatehouse/core";
import { passageSettingsOf, type PassageSettings } from "@gatehouse/node-http";

export interface GatehouseOptions {
  /**
   * Bytes of an answer that are kept in memory while a response rule needs the whole of it; one that is larger is withheld with
   * 500. Default 8 MiB. Answers that no rule reads stream through, whatever their size.
   */
  readonly responseLimit?: number;
  /**
   * What no decision event can carry: an answer that was cut off, an error after the answer's end, an application or a server
   * that cannot be guarded, gaps between the application's routes and the policy's. Default: `process.emitWarning`.
   */
  readonly onError?: (error: unknown) => void;
  /**
   * What becomes of gaps between the routes that the application has and those that the policy names. `warn` (default): told to
   * `onError`, once. `strict`: `app.listen` throws, and any other server is answered 500. `off`: nobody looks.
   */
  readonly inventory?: InventoryMode;
}

export type InventoryMode = "warn" | "strict" | "off";

export interface GatehouseSettings extends PassageSettings {
  readonly inventory: InventoryMode;
}

const MODES: readonly string[] = ["warn", "strict", "off"] satisfies InventoryMode[];

/** @throws TypeError naming the option that is wrong, and the nearest that there is */
export function settingsOf(options: GatehouseOptions): GatehouseSettings {
  refuseUnknownOptions(options, ["responseLimit", "onError", "inventory"]);
  const { inventory = "warn" } = options;
  if (!MODES.includes(inventory)) throw new TypeError("`inventory` is not one of warn, strict, off");
  return {
    ...passageSettingsOf(options),
    inventory,
    targetOf: (req) => (req as { originalUrl?: string }).originalUrl,
  };
}
