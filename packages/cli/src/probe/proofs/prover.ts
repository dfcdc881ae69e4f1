/**
 * Proofs of possession (RFC 9449) under keys of the probe's own. The kit's proof is the model of each: it says what the request is for,
 * and is signed anew for the token that is sent.
 */
import { createHash, createPublicKey, randomUUID } from "node:crypto";
import type { ResolvedAuthenticator } from "@gatehouse/core/analysis";
import { carriedBy, fieldOf, withField, type Sendable } from "../carried.js";
import { readToken, signed, strangersKey, type Jwk, type SigningKey } from "../tokens.js";
import type { Spoil } from "./spoil.js";

export class Prover {
  /** What the server said last, which the next proof must say (RFC 9449 section 8). */
  nonce: string | undefined = undefined;
  readonly #keys = new Map<string, SigningKey>();

  /** @param https whether the server takes requests for such, by its socket or a proxy's word */
  constructor(private readonly https: boolean) {}

  /** `cnf` of tokens that are bound to our key. */
  confirmation(authenticator: ResolvedAuthenticator): { readonly jkt: string } {
    return { jkt: thumbprintOf(publicJwk(this.key(proofAlgorithm(authenticator)))) };
  }

  /**
   * In place of the kit's, over the token that the request holds now.
   * @param asked whether the server asked for a nonce, whatever the policy says
   */
  proved(
    request: Sendable,
    authenticator: ResolvedAuthenticator,
    { proof }: Spoil,
    asked: boolean,
  ): Sendable {
    const model = readToken(fieldOf(request, "dpop") ?? "");
    if (model === undefined) return request;
    const key = this.key(proofAlgorithm(authenticator));
    const nonce = asked || dpopOf(authenticator)?.nonces === true ? this.nonce : undefined;
    const claims = {
      ...model.claims,
      htu: String(model.claims["htu"]).replace(/^https?:/u, this.https ? "https:" : "http:"),
      jti: randomUUID(),
      ath: createHash("sha256").update(carriedBy(request, authenticator)).digest("base64url"),
      ...(nonce === undefined ? {} : { nonce }),
    };
    const draft = { token: { header: { ...model.header, jwk: publicJwk(key) }, claims }, key };
    const made = proof === undefined ? draft : proof(draft, this.key(key.alg, "stranger"));
    return withField(request, "dpop", typeof made === "string" ? made : signed(made.token, made.key));
  }

  private key(alg: string, holder = "own"): SigningKey {
    const name = `${holder} ${alg}`;
    const key = this.#keys.get(name) ?? strangersKey(alg);
    this.#keys.set(name, key);
    return key;
  }
}

/** How proofs must be made; undefined: the policy asks for none. */
export function dpopOf({
  settings,
}: ResolvedAuthenticator): { readonly algorithms: readonly string[]; readonly nonces: boolean } | undefined {
  if (!("senderConstrained" in settings)) return undefined;
  const { senderConstrained } = settings;
  if (senderConstrained === "dpop") return { algorithms: [], nonces: false };
  if (typeof senderConstrained !== "object") return undefined;
  const { algorithms = [], nonce } = senderConstrained;
  return { algorithms, nonces: nonce !== undefined };
}

function proofAlgorithm(authenticator: ResolvedAuthenticator): string {
  return dpopOf(authenticator)?.algorithms[0] ?? "ES256";
}

export type ProofKey = SigningKey["key"];

export function publicJwk({ key }: SigningKey): Jwk {
  if (key instanceof Uint8Array) throw new TypeError("a shared secret proves nothing to anybody");
  return { ...createPublicKey(key).export({ format: "jwk" }) };
}

/** RFC 7638: of a public key alone, whose members are those that count. */
function thumbprintOf(jwk: Jwk): string {
  const members = Object.entries(jwk).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify(Object.fromEntries(members)))
    .digest("base64url");
}
