/** What a guard may be told. Unknown names are errors: a typo must not silently turn something off. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { refuseUnknownOptions } from "@gatehouse/core";
import type { HandlerContext } from "./context.js";
import type { PassageSettings } from "./passage.js";

/**
 * Takes an admitted upgrade. The socket is the application's from here on.
 * @param head first bytes after the request's head
 */
export type UpgradeHandler = (
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  context: HandlerContext,
) => unknown;

export interface GuardOptions {
  /**
   * Bytes of an answer that are kept in memory while a response rule needs the whole of it; one that is larger is withheld with
   * 500. Default 8 MiB. Answers that no rule reads stream through, whatever their size.
   */
  readonly responseLimit?: number;
  /**
   * What no decision event can carry: an answer that was cut off, an error after the answer's end, a server that cannot be
   * guarded. Default: `process.emitWarning`.
   */
  readonly onError?: (error: unknown) => void;
  /** Takes upgrades on routes with `upgrade`; without it they are answered 501. Only where `attach` owns the server. */
  readonly onUpgrade?: UpgradeHandler;
}

/** What `guardUpgrade` may be told. */
export interface UpgradeOptions {
  /** What no decision event can carry: a fault of the engine's own, a socket handed to two guards. Default: `process.emitWarning`. */
  readonly onError?: (error: unknown) => void;
}

export const GUARD_OPTIONS = ["responseLimit", "onError", "onUpgrade"] as const;
const UPGRADE_OPTIONS = ["onError"] as const;
const DEFAULT_RESPONSE_LIMIT = 8 * 1024 * 1024;

export interface GuardSettings extends PassageSettings {
  readonly onUpgrade: UpgradeHandler | undefined;
}

/** @throws TypeError naming the option that is wrong, and the nearest that there is */
export function settingsOf(options: GuardOptions): GuardSettings {
  refuseUnknownOptions(options, GUARD_OPTIONS);
  const { onUpgrade } = options;
  const settings = passageSettingsOf(options);
  if (onUpgrade !== undefined) requireFunction("onUpgrade", onUpgrade);
  return { ...settings, onUpgrade };
}

/** @throws TypeError as `settingsOf` does */
export function upgradeSettingsOf(options: UpgradeOptions): Pick<PassageSettings, "onError"> {
  refuseUnknownOptions(options, UPGRADE_OPTIONS);
  return { onError: sinkOf(options.onError) };
}

/**
 * The settings that every adapter on Node has, with their defaults; other members are not looked at.
 * @throws TypeError naming the option that is wrong
 */
export function passageSettingsOf(options: {
  readonly responseLimit?: number;
  readonly onError?: (error: unknown) => void;
}): PassageSettings {
  const { responseLimit = DEFAULT_RESPONSE_LIMIT } = options;
  if (!Number.isSafeInteger(responseLimit) || responseLimit < 0) {
    throw new TypeError("`responseLimit` is not a whole number of bytes");
  }
  return { responseLimit, onError: sinkOf(options.onError) };
}

/** @throws TypeError naming the option */
export function requireFunction(name: string, value: unknown): void {
  if (typeof value !== "function") throw new TypeError(`\`${name}\` is not a function`);
}

function sinkOf(onError: ((error: unknown) => void) | undefined): (error: unknown) => void {
  if (onError === undefined) return quietly(warn);
  requireFunction("onError", onError);
  return quietly(onError);
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}

/** Who listens must not decide whether an answer leaves. */
function quietly(onError: (error: unknown) => void): (error: unknown) => void {
  return (error) => {
    try {
      onError(error);
    } catch {
      // The sink's own fault.
    }
  };
}
