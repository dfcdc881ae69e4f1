/** Hashing in plain JavaScript: WebCrypto hashes by promise only, and a warm decision must not wait. */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { toHex, utf8 } from "../lib/bytes.js";
import type { HmacHash } from "../ports/platform.js";

function bytesOf(data: Uint8Array | string): Uint8Array {
  return typeof data === "string" ? utf8(data) : data;
}

export function portableSha256(data: Uint8Array | string): Uint8Array {
  return sha256(bytesOf(data));
}

export function portableSha256Hex(data: Uint8Array | string): string {
  return toHex(portableSha256(data));
}

export function portableHmacSha256(key: Uint8Array, data: Uint8Array | string): Uint8Array {
  return hmac(sha256, key, bytesOf(data));
}

export function portableSha512(data: Uint8Array): Uint8Array {
  return sha512(data);
}

const HASHES = { sha256, sha384, sha512 };

export function portableHmac(hash: HmacHash, key: Uint8Array, data: Uint8Array): Uint8Array {
  return hmac(HASHES[hash], key, data);
}

/** Every byte is looked at whatever the first ones say. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let index = 0; index < a.length; index += 1) difference |= (a[index] ?? 0) ^ (b[index] ?? 0);
  return difference === 0;
}

/** Counted, not encoded: a body may be large. A lone surrogate counts as the replacement character that encoding makes of it. */
export function portableUtf8Length(text: string): number {
  let length = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0x80) continue;
    length += code < 0x800 ? 1 : 2;
    const next = text.charCodeAt(index + 1);
    if (code >= 0xd800 && code <= 0xdbff && next >= 0xdc00 && next <= 0xdfff) index += 1;
  }
  return length;
}

/** WebCrypto gives at most 65,536 bytes at a time. */
export function portableRandomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let from = 0; from < length; from += 65_536)
    crypto.getRandomValues(bytes.subarray(from, from + 65_536));
  return bytes;
}
