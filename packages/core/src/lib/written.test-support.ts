/** What was written, read as whoever gets it may read it. */
import { strictText } from "./bytes.js";

/** Undefined for bytes that are no UTF-8, and for text of which a character is more than a byte. */
export function textWritten(json: string | Uint8Array): string | undefined {
  if (typeof json !== "string") return strictText(json);
  return Buffer.byteLength(json) === json.length ? json : undefined;
}
