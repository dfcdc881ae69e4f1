/**
 * Signed bundles: a policy, its number and its tests, under detached JWS signatures (RFC 7515 appendix F) over the canonical
 * form (RFC 8785) of the payload. The payload stands in the bundle as plain JSON, so that people and tools can read and compare it.
 */
import { platform } from "#platform";
import { readObject } from "../compile/parse.js";
import { rememberFile } from "../compile/positions.js";
import { checkOptions, type OptionTest, TEXT } from "../errors/options.js";
import { encodeBase64Url } from "../lib/base64url.js";
import { strictText, utf8 } from "../lib/bytes.js";
import { canonicalJson } from "../lib/canonical-json.js";
import { isJwsAlgorithm, JWS_ALGORITHMS, type JwsAlgorithm } from "../lib/jws.js";
import type { PolicyDocument } from "../model/policy.js";
import type { SignatureVerifier } from "../ports/platform.js";
import { ProblemError } from "./report.js";

/** A public key that may sign. Exactly one of `pem` and `jwk`. */
export interface BundleKey {
  /** By which signatures name it. */
  readonly kid: string;
  readonly algorithm: Exclude<JwsAlgorithm, "HS256" | "HS384" | "HS512">;
  readonly pem?: string;
  readonly jwk?: Readonly<Record<string, unknown>>;
}

export interface BundleTrust {
  /** One signature of one of these is enough, so that keys can be changed one after another. */
  readonly keys: readonly BundleKey[];
  /** `name` of the policy that the bundle must hold: one key may sign for several services. Default: the name of the policy in force. */
  readonly policyName?: string;
  /** Bundles of a lower number are refused. Default 1. */
  readonly minRevision?: number;
}

export interface Bundle {
  readonly revision: number;
  readonly policy: PolicyDocument;
  /** Files of tests (`*.policy-test.json`) as objects. */
  readonly tests: readonly object[];
  /** `kid` of the key that signed. */
  readonly signedBy: string;
}

/** Of the JWS header: a signature that was made for anything else is none here. */
export const BUNDLE_TYPE = "gatehouse-bundle+jws";
const MAX_SIGNATURES = 8;
const MAX_TESTS = 100;

/** Prepared once: a key that cannot be used is an error of the one who wrote it down, not of a bundle. */
export interface BundleVerifier {
  /**
   * @param file what `file:` references of the policy are relative to
   * @throws ProblemError (rejects) `malformed`, `untrusted` or `rolled-back`
   */
  verify(text: string, policyName: string, file?: string): Promise<Bundle>;
}

const KEYS: OptionTest = ["a list of keys, not empty", (value) => Array.isArray(value) && value.length > 0];
const REVISION: OptionTest = ["a whole number from 1", isRevision];
const OBJECT: OptionTest = ["an object", isObject];
const TRUST = { keys: KEYS, policyName: TEXT, minRevision: REVISION } as const satisfies Readonly<
  Record<keyof BundleTrust, OptionTest>
>;
const KEY = { kid: TEXT, algorithm: TEXT, pem: TEXT, jwk: OBJECT } as const satisfies Readonly<
  Record<keyof BundleKey, OptionTest>
>;

/**
 * @throws TypeError (rejects) where an option is wrong
 * @throws Error (rejects) where a key cannot be used
 */
export async function bundleVerifier(trust: BundleTrust): Promise<BundleVerifier> {
  checkOptions(trust, "bundle", TRUST);
  const verifiers = await keyVerifiers(trust.keys);
  const { minRevision = 1, policyName } = trust;
  return {
    async verify(text, inForce, file) {
      const { payload, signatures } = wrapperOf(text);
      const signedBy = await signerOf(payload, signatures, verifiers);
      const bundle = bundleOf(payload, signedBy, file);
      const expected = policyName ?? inForce;
      if (bundle.policy.name !== expected) {
        throw new ProblemError("untrusted", `the bundle is for another policy than \`${expected}\``);
      }
      if (bundle.revision < minRevision) {
        const message = `the bundle has number ${bundle.revision}, at least ${minRevision} is wanted`;
        throw new ProblemError("rolled-back", message);
      }
      return bundle;
    },
  };
}

/** By `kid`. @throws TypeError (rejects) where one cannot be used */
export async function keyVerifiers(
  keys: readonly BundleKey[],
): Promise<ReadonlyMap<string, SignatureVerifier>> {
  const verifiers = new Map<string, SignatureVerifier>();
  for (const key of keys) {
    const verifier = await prepare(key);
    if (verifiers.has(key.kid)) throw new TypeError(`two keys of \`bundle\` are called \`${key.kid}\``);
    verifiers.set(key.kid, verifier);
  }
  return verifiers;
}

async function prepare(key: BundleKey): Promise<SignatureVerifier> {
  checkOptions(key, "bundle.keys", KEY);
  const { kid, algorithm, pem, jwk } = key;
  if (typeof kid !== "string" || kid === "") throw new TypeError("a key of `bundle` has no `kid`");
  if (!isJwsAlgorithm(algorithm) || JWS_ALGORITHMS[algorithm].scheme === "hmac") {
    throw new TypeError(`\`algorithm\` of the key \`${kid}\` is no algorithm with public keys`);
  }
  if ((pem === undefined) === (jwk === undefined)) {
    throw new TypeError(`the key \`${kid}\` has not exactly one of \`pem\` and \`jwk\``);
  }
  return platform.prepareKey(algorithm, pem === undefined ? { jwk: jwk ?? {} } : { pem });
}

interface Wrapper {
  readonly payload: Readonly<Record<string, unknown>>;
  readonly signatures: readonly string[];
}

function malformed(message: string): ProblemError {
  return new ProblemError("malformed", message);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isRevision(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 1;
}

/** Strictly: what two readers read differently was signed in one of its readings only. */
function readStrictly(text: string, what: string): Readonly<Record<string, unknown>> {
  const read = readObject(text);
  if ("diagnostics" in read) {
    throw new ProblemError(
      "malformed",
      `${what} is no JSON object that can be read in one way`,
      read.diagnostics,
    );
  }
  return read.object as Readonly<Record<string, unknown>>;
}

function requireMembers(object: object, known: readonly string[], what: string): void {
  const unknown = Object.keys(object).find((name) => !known.includes(name));
  if (unknown !== undefined) throw malformed(`${what} has a member that nobody knows`);
}

function wrapperOf(text: string): Wrapper {
  const wrapper = readStrictly(text, "the bundle");
  const { gatehouseBundle, payload, signatures } = wrapper;
  if (gatehouseBundle !== 1) throw malformed("it is no bundle: `gatehouseBundle` is not 1");
  requireMembers(wrapper, ["gatehouseBundle", "payload", "signatures"], "the bundle");
  if (!isObject(payload)) throw malformed("`payload` of the bundle is no object");
  if (
    !Array.isArray(signatures) ||
    signatures.length > MAX_SIGNATURES ||
    !signatures.every((one): one is string => typeof one === "string")
  ) {
    throw malformed(`\`signatures\` of the bundle is no list of at most ${MAX_SIGNATURES} texts`);
  }
  return { payload, signatures };
}

async function signerOf(
  payload: Readonly<Record<string, unknown>>,
  signatures: readonly string[],
  verifiers: ReadonlyMap<string, SignatureVerifier>,
): Promise<string> {
  const content = encodeBase64Url(utf8(canonicalJson(payload)));
  let known = false;
  for (const one of signatures) {
    const parts = partsOf(one);
    const verifier = parts === undefined ? undefined : verifiers.get(parts.kid);
    if (parts === undefined || verifier === undefined || verifier.algorithm !== parts.algorithm) continue;
    known = true;
    if (await verifier.verify(`${parts.header}.${content}`, parts.signature)) return parts.kid;
  }
  throw new ProblemError(
    "untrusted",
    known ? "the bundle's signature does not verify" : "no pinned key has signed the bundle",
  );
}

interface SignatureParts {
  readonly header: string;
  readonly kid: string;
  readonly algorithm: string;
  readonly signature: Uint8Array;
}

/** `<header>..<signature>`. The header says three things and nothing else: what it asked for beyond them would go unheard. */
function partsOf(text: string): SignatureParts | undefined {
  const [header = "", content, signature = "", ...more] = text.split(".");
  if (content !== "" || more.length > 0) return undefined;
  const bytes = platform.decodeBase64Url(signature);
  const json = platform.decodeBase64Url(header);
  const said = json === undefined ? undefined : headerOf(strictText(json) ?? "");
  if (bytes === undefined || said === undefined) return undefined;
  const { alg, kid, typ } = said;
  if (Object.keys(said).length !== 3 || typ !== BUNDLE_TYPE) return undefined;
  if (typeof alg !== "string" || typeof kid !== "string") return undefined;
  return { header, kid, algorithm: alg, signature: bytes };
}

function headerOf(text: string): Readonly<Record<string, unknown>> | undefined {
  const read = readObject(text);
  return "diagnostics" in read ? undefined : (read.object as Readonly<Record<string, unknown>>);
}

/** What it says was signed; it is still held to its form. */
function bundleOf(
  payload: Readonly<Record<string, unknown>>,
  signedBy: string,
  file: string | undefined,
): Bundle {
  const { revision, policy, tests = [] } = payload;
  requireMembers(payload, ["revision", "policy", "tests"], "the bundle's payload");
  if (!isRevision(revision)) throw malformed("`revision` of the bundle is no whole number from 1");
  if (!isObject(policy)) throw malformed("`policy` of the bundle is no object");
  if (!Array.isArray(tests) || tests.length > MAX_TESTS || !tests.every(isObject)) {
    throw malformed(`\`tests\` of the bundle is no list of at most ${MAX_TESTS} objects`);
  }
  if (file !== undefined) rememberFile(policy, file);
  // Whether it is a policy is told by what compiles it.
  return { revision, policy: policy as unknown as PolicyDocument, tests, signedBy };
}
