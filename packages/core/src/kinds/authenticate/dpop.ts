/**
 * Proof of possession (RFC 9449): the caller shows, with every request, the private key that its token is bound to. Order: form, key
 * against the token's binding, signature, claims, nonce, and last whether the proof was used before.
 */
import { chained } from "../../lib/chained.js";
import { toHex } from "../../lib/bytes.js";
import type { JwsAlgorithm } from "../../lib/jws.js";
import { Recent } from "../../lib/recent.js";
import type { RequestState } from "../../model/state.js";
import type { Platform, SignatureVerifier } from "../../ports/platform.js";
import type { Credential } from "./credential.js";
import type { DpopNonces } from "./dpop-nonce.js";
import { readProof, type DpopProof } from "./dpop-proof.js";
import { normalTarget, targetOf } from "./dpop-target.js";
import { bad, type Accepted, type Bad, type Judgement } from "./judgement.js";
import type { ReplayGuard } from "./replay.js";

const proofBad = (reason: string): Bad => bad(reason, "invalid_dpop_proof");
const NO_PROOF = proofBad("the token is bound to a key, and no DPoP proof came with it");
/** The proof may be a good one: it is the token that belongs to somebody else (RFC 9449 section 7.1). */
const OTHER_HOLDER = bad("the token is bound to another key than the DPoP proof's");
const BAD_KEY = proofBad("the DPoP proof's `jwk` is no public key that is accepted");
const BAD_SIGNATURE = proofBad("the DPoP proof's signature does not verify");
const BAD_PAYLOAD = proofBad("the DPoP proof's payload is not base64url of one JSON object");
const OTHER_METHOD = proofBad("the DPoP proof's `htm` is not the method of the request");
const OTHER_TARGET = proofBad("the DPoP proof's `htu` is not the target of the request");
const NO_DATE = proofBad("the DPoP proof has no `iat`, or one that is no number");
const OUT_OF_TIME = proofBad("the DPoP proof was not made just now");
const OTHER_TOKEN = proofBad("the DPoP proof's `ath` is not the hash of the token");
const NO_ID = proofBad("the DPoP proof has no `jti`, or one that is no text of a usable length");
const NO_NONCE = bad("the DPoP proof has no nonce, or one that is over", "use_dpop_nonce");
const USED = proofBad("the DPoP proof was used before");

/** Keys of callers that are kept ready; the one unused for longest is prepared anew. */
const MAX_KEYS = 2000;
const MAX_ID = 1024;
/** Rounding, and clocks of a store that run a little fast, must not open a gap at the end. */
const MARGIN_MS = 1000;

export interface DpopParts {
  readonly pointer: string;
  readonly algorithms: ReadonlySet<string>;
  readonly windowMs: number;
  readonly nonces: DpopNonces | undefined;
  readonly platform: Platform;
  readonly replay: ReplayGuard;
}

export type Prove = (
  accepted: Accepted,
  binding: string,
  credential: Credential,
  state: RequestState,
) => Judgement | Promise<Judgement>;

export function missingProof({ request }: RequestState): Bad | undefined {
  return request.headers.has("dpop") ? undefined : NO_PROOF;
}

/** `binding`: the thumbprint that the token names, lower-case hex. */
export function dpopProver(parts: DpopParts): Prove {
  const { platform, algorithms } = parts;
  const keyOf = keyKeeper(platform);
  return (accepted, binding, credential, state) => {
    const field = state.request.headers.get("dpop");
    if (field === undefined) return NO_PROOF;
    const proof = readProof(field, algorithms, platform);
    if (proof.kind === "bad") return proof;
    // Before anything is computed with a key that a stranger chose.
    if (proof.thumbprint !== binding) return OTHER_HOLDER;
    return chained(keyOf(proof), (key) => {
      if ("kind" in key) return key;
      return chained(verifies(key, proof), (good) =>
        good ? judgeClaims(parts, proof, accepted, credential, state) : BAD_SIGNATURE,
      );
    });
  };
}

function verifies(key: SignatureVerifier, { token }: DpopProof): boolean | Promise<boolean> {
  const signature = token.signature();
  return signature === undefined ? false : key.verify(token.signingInput, signature);
}

/** Kept by thumbprint and algorithm, which make up all that a prepared key is. */
function keyKeeper(
  platform: Platform,
): (proof: DpopProof) => SignatureVerifier | Bad | Promise<SignatureVerifier | Bad> {
  const kept = new Recent<SignatureVerifier>(MAX_KEYS);
  return ({ algorithm, jwk, thumbprint }) => {
    const name = `${algorithm} ${thumbprint}`;
    const known = kept.get(name);
    if (known !== undefined) return known;
    return chained(prepare(platform, algorithm, jwk), (key) => {
      if (!("kind" in key)) kept.set(name, key);
      return key;
    });
  };
}

function prepare(
  platform: Platform,
  algorithm: JwsAlgorithm,
  jwk: Readonly<Record<string, unknown>>,
): SignatureVerifier | Bad | Promise<SignatureVerifier | Bad> {
  try {
    const key = platform.prepareKey(algorithm, { jwk });
    return key instanceof Promise ? key.catch(() => BAD_KEY) : key;
  } catch {
    return BAD_KEY;
  }
}

function judgeClaims(
  parts: DpopParts,
  { token, thumbprint }: DpopProof,
  accepted: Accepted,
  credential: Credential,
  state: RequestState,
): Judgement | Promise<Judgement> {
  const claims = token.payload();
  if (claims === undefined) return BAD_PAYLOAD;
  const { htm, htu, iat, ath, jti, nonce } = claims;
  const { request, now } = state;
  if (htm !== request.method) return OTHER_METHOD;
  const target = typeof htu === "string" ? normalTarget(htu) : undefined;
  if (target === undefined || target !== targetOf(request)) return OTHER_TARGET;
  if (typeof iat !== "number" || !Number.isFinite(iat)) return NO_DATE;
  if (Math.abs(iat * 1000 - now) > parts.windowMs) return OUT_OF_TIME;
  if (!isHashOf(ath, credential, parts.platform)) return OTHER_TOKEN;
  if (typeof jti !== "string" || jti === "" || jti.length > MAX_ID) return NO_ID;
  if (parts.nonces !== undefined && !(typeof nonce === "string" && parts.nonces.admits(nonce, now)))
    return NO_NONCE;
  const key = `dpop:${parts.platform.sha256Hex(`${thumbprint} ${jti}`)}`;
  // From the earliest to the latest instant at which it could be shown, both included.
  return chained(parts.replay.first(key, 2 * parts.windowMs + MARGIN_MS, parts.pointer, state), (seen) => {
    if (seen === "first") return accepted;
    return seen === "again" ? USED : seen;
  });
}

function isHashOf(ath: unknown, credential: Credential, { decodeBase64Url }: Platform): boolean {
  const digest = typeof ath === "string" ? decodeBase64Url(ath) : undefined;
  return digest !== undefined && toHex(digest) === credential.digest;
}
