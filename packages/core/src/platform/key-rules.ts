/** What every platform asks of a key before it is prepared. Messages name the rule that is broken, never the material. */
import { decodeBase64Url } from "../lib/base64url.js";
import { isBlank, strictText, toHex } from "../lib/bytes.js";
import { holdsSecret, jwkFits, JWS_ALGORITHMS, type JwsAlgorithm, type JwsFacts } from "../lib/jws.js";
import { isPublicKey } from "../lib/published-keys.js";
import type { Platform } from "../ports/platform.js";

/**
 * Longer than any key of an HMAC: of what is longer than a block only the hash is used (RFC 2104 section 2). It is a file that was not meant, and
 * to look for keys in it takes seconds.
 */
const LONGEST_SECRET = 16_384;

/**
 * What is asked of every shared secret, whatever it is for.
 * @param isKey can this platform read it as a key?
 * @returns see `Platform.secretProblem`
 */
export function problemOfSecret(
  secret: Uint8Array,
  leastBytes: number,
  isKey?: (reading: Uint8Array) => boolean,
): string | undefined {
  const { length } = secret;
  if (length > LONGEST_SECRET) return `${length} bytes, no secret has more than ${LONGEST_SECRET}`;
  if (isBlank(secret)) return "nothing but blanks";
  if (length < leastBytes) return `${length} bytes, at least ${leastBytes} are needed`;
  // Everybody knows a public key: used as the secret, it would let everybody sign.
  if (looksLikeKeyFile(secret)) return "a PEM or JWK document, not raw bytes";
  return isPublicKey(secret, isKey) ? "a public or private key, not raw bytes" : undefined;
}

/** @throws Error when the secret is no key for the algorithm */
export function requireSecret(
  algorithm: JwsAlgorithm,
  secret: Uint8Array,
  problemOf: Platform["secretProblem"],
): void {
  const { scheme, hashBytes } = JWS_ALGORITHMS[algorithm];
  if (scheme !== "hmac")
    throw new Error(`${algorithm} is verified with a public key, not with a shared secret`);
  const problem = problemOf(secret, hashBytes);
  if (problem !== undefined) throw new Error(`the secret holds ${problem}`);
}

/** Asked besides parsing, for platforms that cannot parse every kind of PEM. */
function looksLikeKeyFile(secret: Uint8Array): boolean {
  const text = strictText(secret)?.trim() ?? "";
  return (
    text.includes("-----BEGIN ") || (text.startsWith("{") && text.endsWith("}") && text.includes('"kty"'))
  );
}

/** @throws Error when a shared secret would be needed */
export function requireAsymmetric(algorithm: JwsAlgorithm): void {
  if (JWS_ALGORITHMS[algorithm].scheme === "hmac") {
    throw new Error(`${algorithm} is verified with a shared secret, not with a public key`);
  }
}

/** @throws Error when the JWK is private, of another type or curve, or not meant for this use */
export function requirePublicJwk(algorithm: JwsAlgorithm, jwk: Readonly<Record<string, unknown>>): void {
  requireAsymmetric(algorithm);
  if (holdsSecret(jwk)) throw new Error("the key is private or symmetric where a public key belongs");
  if (!jwkFits(algorithm, jwk))
    throw new Error(`the key's type, curve or intended use does not fit ${algorithm}`);
}

/**
 * One PEM block in its plain form: without byte order mark, carriage returns and blanks around lines, so that the same
 * key gives the same type however an editor saved it.
 *
 * @throws Error unless there is exactly one block
 */
export function plainPem(text: string): string {
  const lines = text
    .replace(/^\uFEFF/u, "")
    .split(/\r\n|\r|\n/u)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const blocks = lines.filter((line) => line.startsWith("-----BEGIN "));
  if (blocks.length !== 1) {
    throw new Error(
      blocks.length === 0 ? "the text holds no PEM block" : "the text holds more than one PEM block",
    );
  }
  return `${lines.join("\n")}\n`;
}

/** The members that make up a public key, and no word of what else the author wrote into the JWK. */
export function publicMembers(jwk: Readonly<Record<string, unknown>>): Record<string, string> {
  const members: Record<string, string> = {};
  for (const name of ["kty", "crv", "x", "y", "n", "e"]) {
    const value = jwk[name];
    if (typeof value === "string") members[name] = value;
  }
  return members;
}

/** What is asked of an RSA key beyond its type. */
export interface RsaFacts {
  readonly bits: number;
  readonly exponent: bigint;
  /** base64url. */
  readonly modulus: string;
}

/**
 * @throws Error when the modulus is short, the exponent lets anybody sign (RFC 8017 section 3.1: odd, at least 3), or the factors can
 *   be found (CVE-2017-15361)
 */
export function requireStrongRsa({ bits, exponent, modulus }: RsaFacts, minimum: number): void {
  if (bits < minimum) throw new Error(`the RSA key has ${bits} bits, at least ${minimum} are needed`);
  if (exponent < 3n || exponent % 2n === 0n) throw new Error("the RSA key has an unusable public exponent");
  if (isGuessable(numberOf(modulus)))
    throw new Error("the RSA key is one of those whose private key can be computed (CVE-2017-15361)");
}

/** Modulo each of these, the moduli of the faulty generator (ROCA) are powers of 65537; of others one in 2^27 is. */
const MARKERS: readonly number[] = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];
/** One division of the long number instead of seventeen. */
const PRODUCT = MARKERS.reduce((product, prime) => product * BigInt(prime), 1n);

function isGuessable(modulus: bigint): boolean {
  const rest = modulus % PRODUCT;
  return MARKERS.every((prime) => isPowerOf65537(Number(rest % BigInt(prime)), prime));
}

function isPowerOf65537(value: number, prime: number): boolean {
  let power = 1;
  for (let exponent = 0; exponent < prime; exponent += 1) {
    if (power === value) return true;
    power = (power * 65_537) % prime;
  }
  return false;
}

function numberOf(base64Url: string): bigint {
  return BigInt(`0x0${toHex(decodeBase64Url(base64Url) ?? new Uint8Array(0))}`);
}

/**
 * Octets of a signature: an RSA key's own length (RFC 8017 sections 8.1.2 and 8.2.2, step 1). OpenSSL does not ask under PSS, and takes a
 * signature whose leading zero was left out for the same one.
 */
export function signatureLength({ signatureBytes }: JwsFacts, modulusBits: number): number {
  return signatureBytes === 0 ? Math.ceil(modulusBits / 8) : signatureBytes;
}
