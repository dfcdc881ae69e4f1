/**
 * JSON Web Tokens (RFC 7519, 8725). Order: form, key, memory, signature, claims, time. Before the signature nothing of
 * the token is judged but which key it asks for and, where several issuers share a carrier, whose it says it is.
 */
import type { Fault } from "../../model/outcome.js";
import type { RequestState } from "../../model/state.js";
import type { SignatureVerifier } from "../../ports/platform.js";
import type { ClaimRules } from "./claims.js";
import type { CompactToken } from "./compact-token.js";
import type { Credential, Judge } from "./credential.js";
import type { IdentityMaker } from "./identity.js";
import type { HeaderRules } from "./jose-header.js";
import { bad, type Bad, type Judgement } from "./judgement.js";
import type { Given, Grant } from "./principal-map.js";
import { bindingOf, type Sender } from "./sender.js";
import { verifiedBy, type TokenCache, type VerifiedToken } from "./token-cache.js";

const BAD_SIGNATURE = bad("the token's signature does not verify");
const BAD_PAYLOAD = bad("the token's payload is not base64url of one JSON object");
export const NOT_MINE = bad("the token names another issuer");
const EXPIRED = bad("the token has expired");
const EARLY = bad("the token is not valid yet");

/** A token says everything in its claims. */
const NOTHING_GIVEN: Given = Object.freeze({});

export interface JwtParts {
  readonly pointer: string;
  /** Its number in the cache. */
  readonly index: number;
  /** True where other issuers read the same carrier: `iss`, unverified, then picks who verifies. */
  readonly several: boolean;
  readonly cache: TokenCache;
  readonly claims: ClaimRules;
  readonly map: (claims: Readonly<Record<string, unknown>>, given: Given) => Grant | Bad;
  readonly identify: IdentityMaker;
  /** What the caller must show besides the token; undefined: nothing. */
  readonly sender: Sender | undefined;
}

/** Keys that never change. */
export function jwtJudge(parts: JwtParts, header: HeaderRules): Judge {
  return (credential, state) => {
    const { token } = credential;
    return token.kind === "bad" ? token : judgeToken(parts, header, credential, token, state);
  };
}

export function judgeToken(
  parts: JwtParts,
  header: HeaderRules,
  credential: Credential,
  token: CompactToken,
  state: RequestState,
): Judgement | Promise<Judgement> {
  const { cache, index, claims, several } = parts;
  // Before the memory is asked: a header that leads to no key costs not even the hash.
  const key = header.select(token);
  if ("kind" in key) return key;
  const known = cache.get(credential.digest);
  const mine = verifiedBy(known, index);
  if (mine?.key === key) return use(parts, mine, credential, state);
  if (several && !claims.admitsIssuer(known === undefined ? token.payload()?.["iss"] : known.issuer)) {
    return NOT_MINE;
  }
  return verifyNew({ ...parts, header }, credential, token, key, state);
}

/** Time and sender are asked on every use. */
function use(
  { sender }: JwtParts,
  token: VerifiedToken,
  credential: Credential,
  state: RequestState,
): Judgement | Promise<Judgement> {
  const judged = current(token, state.now);
  if (sender === undefined || judged.kind !== "accepted") return judged;
  return sender.prove(judged, token.binding ?? "", credential, state);
}

function current(token: VerifiedToken, now: number): Judgement {
  if (now >= token.notAfter) return EXPIRED;
  return now < token.notBefore ? EARLY : token.accepted;
}

interface Verifying extends JwtParts {
  readonly header: HeaderRules;
}

function verifyNew(
  parts: Verifying,
  credential: Credential,
  token: CompactToken,
  key: SignatureVerifier,
  state: RequestState,
): Judgement | Promise<Judgement> {
  const signature = token.signature();
  if (signature === undefined) return BAD_SIGNATURE;
  const good = key.verify(token.signingInput, signature);
  if (typeof good === "boolean") return good ? believe(parts, credential, token, key, state) : BAD_SIGNATURE;
  return good.then(
    (verdict) => (verdict ? believe(parts, credential, token, key, state) : BAD_SIGNATURE),
    (error: unknown) => failed(parts.pointer, error),
  );
}

function failed(rule: string, error: unknown): Fault {
  return { kind: "fault", where: "code", reason: "the signature check failed to run", rule, error };
}

/** The signature is good: from here on the token is what its issuer said. */
function believe(
  parts: Verifying,
  credential: Credential,
  token: CompactToken,
  key: SignatureVerifier,
  state: RequestState,
): Judgement | Promise<Judgement> {
  const claims = token.payload();
  if (claims === undefined) return BAD_PAYLOAD;
  const validity = parts.claims.judge(claims);
  if (validity.kind === "bad") return validity;
  const { sender } = parts;
  const binding = sender === undefined ? undefined : bindingOf(claims["cnf"], sender.confirmation);
  if (typeof binding === "object") return binding;
  const grant = parts.map(claims, NOTHING_GIVEN);
  if (grant.kind === "bad") return grant;
  const { notBefore, notAfter } = validity;
  parts.header.remember(token, key);
  // Kept also when it has expired: then the entry can only refuse, and refusing costs no second verification.
  const verified = parts.cache.add(credential.digest, {
    by: parts.index,
    key,
    issuer: claims["iss"],
    accepted: parts.identify(grant),
    binding,
    notBefore,
    notAfter,
  });
  return use(parts, verified, credential, state);
}
