/** Where a message ends and what its connection is asked to do: read in one way or refused (RFC 9112 sections 6 and 9). */
import type { Refusal } from "../model/outcome.js";
import { refusal } from "./refusals.js";

export const LENGTH_AND_ENCODING = refusal(
  "ambiguous-framing",
  "Content-Length stands beside Transfer-Encoding",
);
export const BAD_LENGTH = refusal("ambiguous-framing", "Content-Length is no length");
export const BAD_ENCODING = refusal("ambiguous-framing", "Transfer-Encoding is not `chunked`");
export const OLD_ENCODING = refusal("ambiguous-framing", "an HTTP/1.0 message has a Transfer-Encoding");
const BAD_CONNECTION = refusal(
  "ambiguous-framing",
  "Connection names a field that is not the connection's own",
);

/** Digits only, no sign, and exact as a number; -1 for anything else. */
export function parseLength(text: string): number {
  if (text.length === 0 || text.length > 15) return -1;
  let length = 0;
  for (let i = 0; i < text.length; i += 1) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}

/**
 * What may stand in Connection. A field that is named here is removed by the next intermediary (RFC 9110 section 7.6.1):
 * `Connection: authorization` would make a credential vanish behind us.
 */
const OPTIONS: ReadonlySet<string> = new Set(["close", "keep-alive", "upgrade", "te", "http2-settings"]);

/** True when the connection is to be upgraded. */
export function readConnection(value: string): boolean | Refusal {
  if (value === "keep-alive" || value === "close") return false;
  let upgrade = false;
  for (const part of value.split(",")) {
    const option = part.trim().toLowerCase();
    if (option === "") continue;
    if (!OPTIONS.has(option)) return BAD_CONNECTION;
    if (option === "upgrade") upgrade = true;
  }
  return upgrade;
}
