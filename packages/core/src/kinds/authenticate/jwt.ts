/**
 * JSON Web Tokens (RFC 7519, 8725). Order: form, key, memory, signature, claims, time. Before the signature nothing of
 * the token is judged but which key it asks for and, where several issuers share a carrier, whose it says it is. The very
 * text that went all the way a moment ago, under the same keys, needs nothing but time.
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
import { renewed, verifiedBy, without, type TokenCache, type VerifiedToken } from "./token-cache.js";

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
    const recent = judgeRecent(parts, header, credential, state);
    if (recent !== undefined) return recent;
    const { token } = credential;
    return token.kind === "bad" ? token : judgeToken(parts, header, credential, token, state);
  };
}

/** Undefined unless the text is at hand. The same `header` would choose the same key for it. */
export function judgeRecent(
  parts: JwtParts,
  header: HeaderRules,
  credential: Credential,
  state: RequestState,
): Judgement | Promise<Judgement> | undefined {
  const mine = verifiedBy(parts.cache.recent(credential, state.now), parts.index);
  return mine?.chosenBy === header ? use(parts, mine, credential, state) : undefined;
}

export function judgeToken(
  parts: JwtParts,
  header: HeaderRules,
  credential: Credential,
  token: CompactToken,
  state: RequestState,
): Judgement | Promise<Judgement> {
  const { cache, index, claims, several } = parts;
  // Before the memory is asked: a header that leads to no key costs not even that.
  const key = header.select(token);
  if ("kind" in key) return key;
  const known = cache.get(credential);
  const mine = verifiedBy(known, index);
  if (known !== undefined && mine?.key === key) {
    cache.keep(credential, renewed(known, mine, header), state.now);
    return use(parts, mine, credential, state);
  }
  if (several && !claims.admitsIssuer(known === undefined ? token.payload()?.["iss"] : known.issuer)) {
    return NOT_MINE;
  }
  return verifyNew({ parts, header, credential, token, key, known }, state);
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

/** A token that is verified. */
interface Attempt {
  readonly parts: JwtParts;
  readonly header: HeaderRules;
  readonly credential: Credential;
  readonly token: CompactToken;
  readonly key: SignatureVerifier;
  /** What others made of it. */
  readonly known: VerifiedToken | undefined;
}

function verifyNew(attempt: Attempt, state: RequestState): Judgement | Promise<Judgement> {
  const { token, key, parts } = attempt;
  const good = isSigned(token, key);
  if (typeof good === "boolean") return good ? believe(attempt, state) : BAD_SIGNATURE;
  return good.then(
    (verdict) => (verdict ? believe(attempt, state) : BAD_SIGNATURE),
    (error: unknown) => failed(parts.pointer, error),
  );
}

function isSigned(token: CompactToken, key: SignatureVerifier): boolean | Promise<boolean> {
  if (key.verifyText !== undefined) return key.verifyText(token.signingInput, token.signatureSegment);
  const signature = token.signature();
  return signature === undefined ? false : key.verify(token.signingInput, signature);
}

function failed(rule: string, error: unknown): Fault {
  return { kind: "fault", where: "code", reason: "the signature check failed to run", rule, error };
}

/** The signature is good: from here on the token is what its issuer said. */
function believe(
  { parts, header, credential, token, key, known }: Attempt,
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
  header.remember(token, key);
  // Kept also when it has expired: then the entry can only refuse, and refusing costs no second verification.
  const verified: VerifiedToken = {
    digest: credential.digest,
    by: parts.index,
    key,
    chosenBy: header,
    issuer: claims["iss"],
    accepted: parts.identify(grant),
    binding,
    notBefore: validity.notBefore,
    notAfter: validity.notAfter,
    next: without(known, parts.index),
  };
  parts.cache.add(credential, verified);
  return use(parts, verified, credential, state);
}
