/**
 * Forms in which keys are handed around. Everybody knows a public key: used as a shared secret, byte for byte as it is published, it
 * would let everybody sign. Nothing is decided by what a text is named, only by what it holds, so that no random secret is taken for a key.
 */
import { decodeBase64Url } from "./base64url.js";
import { fromHex, isBlank, strictText, toHex, utf8 } from "./bytes.js";
import { derBeginning, derInside, type DerValue } from "./der.js";
import { isCurvePoint } from "./curve-points.js";

/** base64 of UTF-16 of base64: what shells and vaults make of a key by themselves. */
const DEPTH = 3;
/** A name in another alphabet beside a key takes nothing from it: bytes that are no UTF-8 become a sign of their own each. */
const LENIENT_DECODER = new TextDecoder();
/** Shorter texts hold no key. */
const SHORTEST_TOKEN = 40;

/** The bytes, and what they are where they are UTF-16, hexadecimal or base64 text, with and without what stands around it. */
function readingsOf(bytes: Uint8Array, depth = DEPTH): readonly Uint8Array[] {
  if (depth === 0 || bytes.length < SHORTEST_TOKEN) return [bytes];
  const { whole, rests } = decodingsOf(bytes);
  const inner = [...halvesOf(bytes), ...whole];
  return [bytes, ...rests, ...inner.flatMap((one) => readingsOf(one, depth - 1))];
}

/** Every second byte of UTF-16 is a character of such a text; which ones, the byte order says. */
function halvesOf(bytes: Uint8Array): readonly Uint8Array[] {
  if (!bytes.includes(0)) return [];
  // The mark is FE FF or FF FE.
  const from = (bytes[0] ?? 0) >= 0xfe ? 2 : 0;
  return [0, 1].map((odd) => bytes.filter((_, index) => index >= from && index % 2 === odd));
}

interface Decodings {
  readonly whole: readonly Uint8Array[];
  /** They begin as DER does, so that there is no text to be read in them: with it, reading would take seconds. */
  readonly rests: readonly Uint8Array[];
}

function decodingsOf(bytes: Uint8Array): Decodings {
  const text = asciiIn(bytes);
  const plain = text.replace(ESCAPED, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  // A label, a comment, a line of `authorized_keys`.
  const tokens = plain.split(/[^A-Za-z0-9+/_-]+/u).filter((token) => token.length >= SHORTEST_TOKEN);
  // All of it: lines, whose ends may be written out.
  const all = plain.replace(/\\[nrt]/gu, "");
  const whole = [...bytesIn([all, ...tokens]), ...listsIn(plain)];
  return { whole: plain === text ? whole : [utf8(plain), ...whole], rests: bytesIn(restsOf(all)) };
}

function bytesIn(texts: readonly string[]): readonly Uint8Array[] {
  return [...new Set(texts)].flatMap((one) => [base64In(one), hexIn(one)]);
}

/** Of JSON and of forms. */
const ESCAPED = /(?:\\u00|%)([0-9A-Fa-f]{2})/gu;
/** How DER begins in base64 and in hexadecimal. */
const DER_BEGINS = /(?<![A-Za-z0-9+/])(?:M[A-P]|30)/gu;
const MOST_RESTS = 8;

/** Lines of a key behind a label: in DER it is known as one only whole. */
function restsOf(text: string): readonly string[] {
  const begins = [...text.matchAll(DER_BEGINS)].slice(0, MOST_RESTS);
  return begins.map(({ index }) => text.slice(index));
}

/** Leniently, as whoever publishes a key writes it. What follows the bytes does not matter here, nor do spare bits. */
function base64In(text: string): Uint8Array {
  const plain = text
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/[^A-Za-z0-9_-]/gu, "");
  return decodeBase64Url(plain.padEnd(Math.ceil(plain.length / 4) * 4, "A")) ?? new Uint8Array(0);
}

function hexIn(text: string): Uint8Array {
  const plain = text.replace(/[0\\]x|[^0-9A-Fa-f]/giu, "");
  return fromHex(plain.slice(0, plain.length & ~1)) ?? new Uint8Array(0);
}

/**
 * Bytes as programs print them: in decimals, in Java with a sign, or in hexadecimal. How many there are may stand before the list, and before
 * each its place, as JSON has it: every second one is a byte of the key then, which is looked for anyhow.
 */
const LIST = /(?:(?:0x[0-9A-F]{1,2}|-?\d{1,5})[^\w=([{<-]{1,16}){39,}(?:0x[0-9A-F]{1,2}|-?\d{1,5})/giu;
const LISTED = /0x[0-9A-F]+|-?\d+/giu;

function listsIn(text: string): readonly Uint8Array[] {
  const lists = text.replace(/\\[nrt]/gu, " ").match(LIST) ?? [];
  return lists.map((list) => Uint8Array.from(list.match(LISTED) ?? [], Number));
}

/** Text in which every byte of ASCII stands as it is, whatever stands around it. */
function asciiIn(bytes: Uint8Array): string {
  return LENIENT_DECODER.decode(bytes);
}

/**
 * Is a secret a public key, in any of these forms?
 * @param isKey asked too, of what a secret may be read as: what a platform can parse
 */
export function isPublicKey(
  secret: Uint8Array,
  isKey: (reading: Uint8Array) => boolean = () => false,
): boolean {
  return readingsOf(secret).some((reading) => isPublished(reading) || isKey(reading));
}

function isPublished(bytes: Uint8Array): boolean {
  return saysKey(bytes) || withoutBlanks(bytes).some(isBinaryKey);
}

function isBinaryKey(bytes: Uint8Array): boolean {
  return isSshKey(bytes) || isPublicDer(bytes) || isPkcs7(bytes) || isCurvePoint(bytes);
}

const MOST_BLANKS = 16;

/** With none, some and all of the white space and NUL in front: how long an OpenSSH key is is told by NUL, and may be told by what is a blank. */
function withoutBlanks(bytes: Uint8Array): readonly Uint8Array[] {
  const first = bytes.subarray(0, MOST_BLANKS).findIndex((byte) => !isBlank(Uint8Array.of(byte)));
  return Array.from({ length: Math.max(first, 0) + 1 }, (_, from) => bytes.subarray(from));
}

const KEY_TEXTS =
  /-----BEGIN[ +]|---- BEGIN SSH2 PUBLIC KEY|PuTTY-User-Key-File-|<RSAKeyValue>|Public-Key: \(\d|\bModulus=[0-9A-F]{64}|\bkty\\*["']?\s*[:=]\s*\\*["']?(?:RSA|EC|OKP|AKP)\b/u;

function saysKey(bytes: Uint8Array): boolean {
  return KEY_TEXTS.test(asciiIn(bytes));
}

/** RFC 4253 section 6.6: the key begins with its type, and that with its length in four bytes. Certificates of OpenSSH do as well. */
function isSshKey(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0 || bytes[1] !== 0 || bytes[2] !== 0) return false;
  const type = strictText(bytes.subarray(4, 4 + (bytes[3] ?? 0))) ?? "";
  return /^(?:sk-)?(?:ssh|ecdsa|x509v3|rsa)-[\w@.-]+$/u.test(type);
}

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const OID = 0x06;
const BITS = 0x03;
/** Bytes of the shortest modulus that was ever in use, and of the longest exponent. */
const SHORTEST_MODULUS = 64;
const LONGEST_EXPONENT = 8;

/**
 * SubjectPublicKeyInfo, certificates and requests for them end with bits behind an algorithm (RFC 5280 sections 4.1 and 4.1.2.7, RFC 2986
 * section 4), PKCS #1 is two numbers (RFC 8017 appendix A.1.1). Whatever follows is no part of it.
 */
function isPublicDer(bytes: Uint8Array): boolean {
  const parts = partsOf(derBeginning(bytes));
  const [first, second] = parts;
  if (parts.length === 2 && first?.tag === INTEGER && second?.tag === INTEGER)
    return first.content.length >= SHORTEST_MODULUS && second.content.length <= LONGEST_EXPONENT;
  const algorithm = parts.at(-2);
  return (
    parts.length <= 3 &&
    first?.tag === SEQUENCE &&
    parts.at(-1)?.tag === BITS &&
    partsOf(algorithm)[0]?.tag === OID
  );
}

/** 1.2.840.113549.1.7, with its length in a longer one. */
const PKCS7 = "06092a864886f70d0107";
/** The longest lengths, and the version of PKCS #12, stand before it. */
const MOST_BEFORE_OID = 15;

/**
 * ContentInfo (RFC 5652 section 3), which holds certificates. Its lengths may be left open, which is no DER, so it is told by the name of what
 * it holds: nothing else has these bytes there.
 */
function isPkcs7(bytes: Uint8Array): boolean {
  return (
    bytes[0] === SEQUENCE && toHex(bytes.subarray(0, MOST_BEFORE_OID + PKCS7.length / 2)).includes(PKCS7)
  );
}

function partsOf(value: DerValue | undefined): readonly DerValue[] {
  return value?.tag === SEQUENCE ? (derInside(value) ?? []) : [];
}
