/** base64 (RFC 4648 section 4) with one accepted spelling: padded, without blanks and spare bits. */
import { decodeBase64Url, encodeBase64Url } from "./base64url.js";

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/u;

/** Undefined when the text is not the one spelling of any bytes. */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !BASE64.test(text)) return undefined;
  return decodeBase64Url(text.replace(/=+$/u, "").replaceAll("+", "-").replaceAll("/", "_"));
}

export function encodeBase64(bytes: Uint8Array): string {
  const text = encodeBase64Url(bytes).replaceAll("-", "+").replaceAll("_", "/");
  return text.padEnd(Math.ceil(text.length / 4) * 4, "=");
}
