/** What a guard may be told. Unknown names are errors: a typo must not silently turn something off. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
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

const KNOWN = ["responseLimit", "onError", "onUpgrade"] as const;
const DEFAULT_RESPONSE_LIMIT = 8 * 1024 * 1024;

export interface GuardSettings extends PassageSettings {
  readonly onUpgrade: UpgradeHandler | undefined;
}

/** @throws TypeError naming the option that is wrong, and the nearest that there is */
export function settingsOf(options: GuardOptions): GuardSettings {
  for (const name of Object.keys(options)) {
    if (!(KNOWN as readonly string[]).includes(name)) throw new TypeError(unknown(name));
  }
  const { responseLimit = DEFAULT_RESPONSE_LIMIT, onError = warn, onUpgrade } = options;
  if (!Number.isSafeInteger(responseLimit) || responseLimit < 0) {
    throw new TypeError("`responseLimit` is not a whole number of bytes");
  }
  if (typeof onError !== "function") throw new TypeError("`onError` is not a function");
  if (onUpgrade !== undefined && typeof onUpgrade !== "function") {
    throw new TypeError("`onUpgrade` is not a function");
  }
  return { responseLimit, onError: quietly(onError), onUpgrade };
}

function unknown(name: string): string {
  const lower = name.toLowerCase();
  const near = KNOWN.find((known) => distance(lower, known.toLowerCase()) <= 3);
  const help = near === undefined ? `the options are ${KNOWN.join(", ")}` : `did you mean \`${near}\`?`;
  return `unknown option \`${name}\`; ${help}`;
}

/** Levenshtein's, on two short words. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, change));
    }
    row = next;
  }
  return row[b.length] ?? 0;
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
