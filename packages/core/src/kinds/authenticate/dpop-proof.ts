/** A DPoP proof by its form (RFC 9449 section 4.2): a JWT that brings the public key by which it is verified. */
import { holdsSecret, isJwsAlgorithm, jwkFits, type JwsAlgorithm } from "../../lib/jws.js";
import type { Platform } from "../../ports/platform.js";
import { parseCompact, type CompactToken, type TokenTools } from "./compact-token.js";
import { MAX_CREDENTIAL } from "./credential.js";
import { bad, type Bad } from "./judgement.js";
import { isObject } from "./strict-json.js";

type Jwk = Readonly<Record<string, unknown>>;
type Tools = TokenTools & Pick<Platform, "sha256Hex">;

export interface DpopProof {
  readonly kind: "proof";
  readonly token: CompactToken;
  readonly algorithm: JwsAlgorithm;
  readonly jwk: Jwk;
  /** SHA-256 thumbprint of the key (RFC 7638), lower-case hex. */
  readonly thumbprint: string;
}

const proofBad = (reason: string): Bad => bad(reason, "invalid_dpop_proof");
const TOO_LONG = proofBad(`the DPoP proof is longer than ${MAX_CREDENTIAL} characters`);
const NOT_COMPACT = proofBad("the DPoP proof is not one JWT");
const MALFORMED = proofBad("the DPoP proof's header is not base64url of one JSON object");
const CRITICAL = proofBad("the DPoP proof's header has `crit` or `b64`");
const OTHER_TYPE = proofBad("the DPoP proof's `typ` is not `dpop+jwt`");
const OTHER_ALGORITHM = proofBad("the DPoP proof's `alg` is not accepted");
const NO_KEY = proofBad("the DPoP proof's header has no `jwk`");
const PRIVATE_KEY = proofBad("the DPoP proof gives away its private key");
const OTHER_KEY = proofBad("the DPoP proof's `jwk` does not fit its `alg`");

/** Its signature and claims are not judged here. */
export function readProof(text: string, algorithms: ReadonlySet<string>, tools: Tools): DpopProof | Bad {
  if (text.length > MAX_CREDENTIAL) return TOO_LONG;
  const token = parseCompact(text, tools);
  if (token.kind === "bad") return NOT_COMPACT;
  const header = token.header();
  if (header === undefined) return MALFORMED;
  const { typ, alg, jwk } = header;
  if (header["crit"] !== undefined || header["b64"] !== undefined) return CRITICAL;
  if (typ !== "dpop+jwt") return OTHER_TYPE;
  if (typeof alg !== "string" || !algorithms.has(alg) || !isJwsAlgorithm(alg)) return OTHER_ALGORITHM;
  if (!isObject(jwk)) return NO_KEY;
  if (holdsSecret(jwk)) return PRIVATE_KEY;
  const members = jwkFits(alg, jwk) ? thumbprintMembers(jwk) : undefined;
  if (members === undefined) return OTHER_KEY;
  return { kind: "proof", token, algorithm: alg, jwk, thumbprint: tools.sha256Hex(members) };
}

/** The required members of each type, in the order of their names and with nothing between them (RFC 7638 section 3.2). */
const REQUIRED: ReadonlyMap<unknown, readonly string[]> = new Map([
  ["EC", ["crv", "kty", "x", "y"]],
  ["OKP", ["crv", "kty", "x"]],
  ["RSA", ["e", "kty", "n"]],
]);

function thumbprintMembers(jwk: Jwk): string | undefined {
  const names = REQUIRED.get(jwk["kty"]);
  if (names === undefined) return undefined;
  const members: Record<string, string> = {};
  for (const name of names) {
    const value = jwk[name];
    if (typeof value !== "string") return undefined;
    members[name] = value;
  }
  return JSON.stringify(members);
}
