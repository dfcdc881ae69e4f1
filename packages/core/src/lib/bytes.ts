/** Bytes and text. */

const ENCODER = new TextEncoder();
// `ignoreBOM` keeps a byte order mark in the text, so that whoever parses the text sees it; `fatal` refuses what is no UTF-8.
const STRICT_DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text of the first `count` bytes, none of which is above 0x7f. */
export type TextOfAscii = (bytes: Uint8Array, count: number) => string;

export function utf8(text: string): Uint8Array {
  return ENCODER.encode(text);
}

/** Undefined when the bytes are no UTF-8: nothing is replaced, so no two byte strings give one text. */
export function strictText(bytes: Uint8Array): string | undefined {
  try {
    return STRICT_DECODER.decode(bytes);
  } catch {
    return undefined;
  }
}

/** By byte, its two digits: one table for all, as every start makes it. */
export const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, "0"),
);

/** Lower case. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX[byte] ?? "";
  return text;
}

/** Undefined for an odd length or anything but hexadecimal digits. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/u.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index += 1) {
    bytes[index] = Number.parseInt(text.slice(index * 2, index * 2 + 2), 16);
  }
  return bytes;
}

/** Nothing but white space and NUL: what a failed template or an empty mount leaves behind. True for no bytes at all. */
export function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d) || byte === 0x00);
}
