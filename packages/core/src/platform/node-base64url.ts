/**
 * base64url in its one spelling, by the runtime's decoder. That one forgives: it passes over what it does not know and
 * takes both alphabets. What it passed over is missing from what it wrote, so the length tells; the rest is asked beforehand.
 */
import { strictText } from "../lib/bytes.js";

/** Longer texts get room of their own. As long as the credentials that are read at all. */
const ROOM = 8192;
/** Used again and again: nothing is awaited between writing and reading. */
const room = Buffer.alloc(ROOM);

export function decodeNodeBase64Url(text: string): Uint8Array | undefined {
  const length = decodedLength(text);
  if (length === undefined) return undefined;
  const bytes = Buffer.from(text, "base64url");
  return bytes.length === length ? bytes : undefined;
}

/** @returns whether the text is the one spelling of as many bytes as there is room for, and stands there now */
export function writeNodeBase64Url(text: string, bytes: Buffer): boolean {
  const { length } = bytes;
  return decodedLength(text) === length && bytes.write(text, "base64url") === length;
}

export function textOfNodeBase64Url(text: string): string | undefined {
  const length = decodedLength(text);
  if (length === undefined) return undefined;
  const bytes = length > ROOM ? Buffer.allocUnsafe(length) : room;
  if (bytes.write(text, "base64url") !== length) return undefined;
  const decoded = bytes.toString("utf8", 0, length);
  // What is no UTF-8 came out as this character; so did the character itself.
  return decoded.includes("\uFFFD") ? strictText(bytes.subarray(0, length)) : decoded;
}

/** A one-byte text is known to have none without being looked at. */
const WIDE = /[^\0-\xff]/u;

/** Of the bytes that it stands for, if it has one spelling's characters, which is not asked here but of `+`, `/` and wide ones. */
function decodedLength(text: string): number | undefined {
  const { length } = text;
  const spare = length & 3;
  if (spare === 1 || text.includes("+") || text.includes("/") || WIDE.test(text)) return undefined;
  if (spare !== 0 && !endsClean(text.charCodeAt(length - 1), spare)) return undefined;
  return (length * 3) >> 2;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** By code: 4 where the last two bits are spare, 16 beside that where the last four are. */
const CLEAN = new Uint8Array(256);
for (let code = 0; code < ALPHABET.length; code += 4)
  CLEAN[ALPHABET.charCodeAt(code)] = (code & 15) === 0 ? 20 : 4;

function endsClean(code: number, spare: number): boolean {
  return ((CLEAN[code] ?? 0) & (spare === 2 ? 16 : 4)) !== 0;
}
