/**
 * base64url (RFC 4648 section 5) with exactly one accepted spelling: no padding, no blanks, no foreign characters, and
 * the spare bits of the last character are zero. Where several texts decode to the same bytes, a deny-list or a cache
 * that is keyed by the text leaks.
 */

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const FOREIGN = 64;
const CODES = new Uint8Array(128).fill(FOREIGN);
for (let code = 0; code < ALPHABET.length; code += 1) CODES[ALPHABET.charCodeAt(code)] = code;

function codeAt(text: string, index: number): number {
  return CODES[text.charCodeAt(index)] ?? FOREIGN;
}

/** Undefined when the text is not the one spelling of any bytes. */
export function decodeBase64Url(text: string): Uint8Array | undefined {
  const { length } = text;
  const spare = length & 3;
  if (spare === 1) return undefined;
  const bytes = new Uint8Array((length * 3) >> 2);
  const whole = length - spare;
  // Collects every code: a foreign character leaves bit 6 set, so one test at the end serves for all.
  let seen = 0;
  let at = 0;
  for (let index = 0; index < whole; index += 4) {
    const a = codeAt(text, index);
    const b = codeAt(text, index + 1);
    const c = codeAt(text, index + 2);
    const d = codeAt(text, index + 3);
    seen |= a | b | c | d;
    bytes[at] = (a << 2) | (b >> 4);
    bytes[at + 1] = (b << 4) | (c >> 2);
    bytes[at + 2] = (c << 6) | d;
    at += 3;
  }
  if (spare !== 0) seen |= decodeTail(text, whole, spare, bytes, at);
  return seen >= FOREIGN ? undefined : bytes;
}

/** The last two or three characters; answers with the codes it saw, or `FOREIGN` when spare bits are set. */
function decodeTail(text: string, from: number, spare: number, bytes: Uint8Array, at: number): number {
  const a = codeAt(text, from);
  const b = codeAt(text, from + 1);
  bytes[at] = (a << 2) | (b >> 4);
  if (spare === 2) return (b & 0b1111) === 0 ? a | b : FOREIGN;
  const c = codeAt(text, from + 2);
  bytes[at + 1] = (b << 4) | (c >> 2);
  return (c & 0b11) === 0 ? a | b | c : FOREIGN;
}

/** Without padding. */
export function encodeBase64Url(bytes: Uint8Array): string {
  let text = "";
  for (let index = 0; index < bytes.length; index += 3) {
    const [a = 0, b, c] = bytes.subarray(index, index + 3);
    text += ALPHABET.charAt(a >> 2) + ALPHABET.charAt(((a & 3) << 4) | ((b ?? 0) >> 4));
    if (b !== undefined) text += ALPHABET.charAt(((b & 15) << 2) | ((c ?? 0) >> 6));
    if (c !== undefined) text += ALPHABET.charAt(c & 63);
  }
  return text;
}
