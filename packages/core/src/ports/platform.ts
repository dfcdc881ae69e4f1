import type { TextOfAscii } from "../lib/bytes.js";
import type { JwsAlgorithm } from "../lib/jws.js";
import type { Clock } from "./clock.js";
import type { EventLoopWatch } from "./load.js";
import type { HtmlSanitizer, PurifierFactory } from "./html-sanitizer.js";
import type { SecretSource } from "./secrets.js";

export type { JwsAlgorithm };

/** A key that was prepared at start; synchronous where the platform can. */
export interface SignatureVerifier {
  readonly algorithm: JwsAlgorithm;
  /**
   * Text stands for its characters as bytes (a JWS signing input is ASCII): platforms convert it more cheaply than callers could.
   * False for a signature of the wrong length, DER instead of R and S, and whatever else does not verify; never throws.
   */
  verify(data: Uint8Array | string, signature: Uint8Array): boolean | Promise<boolean>;
  /**
   * The same of a signature in base64url, in its one spelling: a platform may compare it as text, or decode it where it needs no room
   * of its own. Undefined where that saves nothing.
   */
  readonly verifyText?: ((data: string, signature: string) => boolean) | undefined;
}

export type HmacHash = "sha256" | "sha384" | "sha512";

/** What scrypt is to cost (RFC 7914 section 2). */
export interface ScryptCost {
  /** A power of two. The work takes 128·n·r bytes. */
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

/** Where key material comes from. `secret` is for HS*, the others for asymmetric algorithms only. */
export type KeyMaterial =
  | { readonly secret: Uint8Array }
  | { readonly pem: string }
  | { readonly jwk: Readonly<Record<string, unknown>> };

/**
 * What differs between Node and browsers or workers. Chosen by the `#platform` import, never at run time.
 * Its functions need no `this`, so that they may be handed on.
 */
export interface Platform {
  readonly name: "node" | "portable";
  /** False where `new Function` may be refused (CSP, workers): schemas are interpreted then, and it is never tried. */
  readonly generatesCode: boolean;
  readonly clock: Clock;
  /** Where `env:` and `file:` references are looked up by default; undefined where there is neither. */
  readonly secrets: SecretSource | undefined;
  readonly sha256: (data: Uint8Array | string) => Uint8Array;
  /** Lower-case hex; the cheapest way to a collision-safe cache key. */
  readonly sha256Hex: (data: Uint8Array | string) => string;
  readonly hmacSha256: (key: Uint8Array, data: Uint8Array | string) => Uint8Array;
  readonly sha512: (data: Uint8Array) => Uint8Array;
  /** HMAC (RFC 2104) with any of the hashes of SHA-2. */
  readonly hmac: (hash: HmacHash, key: Uint8Array, data: Uint8Array) => Uint8Array;
  /** Never throws; false for unequal lengths. Time depends on the lengths alone. */
  readonly equalInConstantTime: (a: Uint8Array, b: Uint8Array) => boolean;
  readonly randomBytes: (length: number) => Uint8Array;
  /** Bytes of base64url in its one spelling: no padding, no blanks, no spare bits; undefined for anything else. */
  readonly decodeBase64Url: (text: string) => Uint8Array | undefined;
  /** The same as text: undefined also where the bytes are no UTF-8. */
  readonly textOfBase64Url: (text: string) => string | undefined;
  /** Bytes that a text takes in UTF-8. */
  readonly utf8Length: (text: string) => number;
  /** Text of the first `count` bytes, none of which is above 0x7f; undefined where that costs more than a copy of the bytes. */
  readonly textOfAscii: TextOfAscii | undefined;
  /**
   * Prepares a key for one algorithm.
   * @throws Error when the material is no key of the algorithm's type, is too short (HS*: shorter than the hash; RSA: below 2048 bits),
   *   or is private where a public key belongs. The message never holds key material.
   */
  readonly prepareKey: (
    algorithm: JwsAlgorithm,
    material: KeyMaterial,
  ) => SignatureVerifier | Promise<SignatureVerifier>;
  /**
   * Why these bytes must not be a shared secret: nothing but blanks, fewer than `leastBytes`, more than any secret has, or a key in one of the
   * forms in which keys are handed around. One for all that takes a secret.
   * @returns what it holds, to follow `holds`, and nothing of the material; undefined where it may be one
   */
  readonly secretProblem: (secret: Uint8Array, leastBytes: number) => string | undefined;
  /** Tells the operator what nobody else listens to. */
  readonly warn: (message: string) => void;
  /**
   * Derives as many bytes as are asked for. Only some of it runs at once in a process, and only some waits.
   * @returns undefined where too much waits already
   */
  readonly scrypt: (
    password: Uint8Array,
    salt: Uint8Array,
    cost: ScryptCost,
    length: number,
  ) => Promise<Uint8Array> | undefined;
  /** Begins to watch how late the event loop is; undefined where that cannot be told. */
  readonly watchEventLoop: (() => EventLoopWatch) | undefined;
  /** Text of a file beside the policy (a JWKS file); undefined where there are no files. */
  readonly readFile: ((path: string, baseFile?: string) => Promise<string>) | undefined;
  /** Tells when one of such files may hold something else; ended by what it returns. Undefined where there are no files. */
  readonly watchFiles:
    | ((paths: readonly string[], changed: () => void, baseFile?: string) => () => void)
    | undefined;
  /** All addresses of a name; undefined where names cannot be looked up. */
  readonly addressesOf: ((name: string) => Promise<readonly string[]>) | undefined;
  /** `fetch` of plain HTTP over a connection to one of these addresses, whatever the name leads to by now; undefined where that cannot be had. */
  readonly fetchAt:
    | ((addresses: readonly string[], url: string, init: RequestInit) => Promise<Response>)
    | undefined;
  /**
   * Loads and proves what sanitizes HTML. Never loaded before.
   * @param dompurify what a page hands in; on Node it is found beside jsdom
   * @throws HtmlSanitizerError (rejects) where there is none, or none that can be trusted
   */
  readonly openHtmlSanitizer: (dompurify: PurifierFactory | undefined) => Promise<HtmlSanitizer>;
}
