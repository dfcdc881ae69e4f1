/** Proofs of possession, good ones and such as no library would make. */
import { createHash } from "node:crypto";
import type { JwsAlgorithm } from "../../lib/jws.js";
import type { StateOptions } from "../../model/state.test-support.js";
import { pairFor } from "../../platform/keys.test-support.js";
import { forged, SECONDS, signed } from "./authenticate.test-support.js";

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("base64url");

export interface Holder {
  readonly algorithm: JwsAlgorithm;
  readonly jwk: Readonly<Record<string, unknown>>;
  /** RFC 7638, by hand. */
  readonly jkt: string;
  readonly key: ReturnType<typeof pairFor>["privateKey"];
}

export function holder(algorithm: JwsAlgorithm = "ES256", name = "holder"): Holder {
  const { publicKey, privateKey } = pairFor(algorithm, name);
  const jwk: Record<string, unknown> = { ...publicKey.export({ format: "jwk" }) };
  const sorted = Object.fromEntries(Object.entries(jwk).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { algorithm, jwk, jkt: sha256(JSON.stringify(sorted)), key: privateKey };
}

export const ANN = holder();

export const boundToken = (claims: Readonly<Record<string, unknown>> = {}): Promise<string> =>
  signed({ cnf: { jkt: ANN.jkt }, ...claims });

let made = 0;

export interface ProofParts {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly by?: Holder;
}

/** For `GET http://a.test/` now. What is undefined is left out. */
export function proofFor(token: string, { header, claims, by = ANN }: ProofParts = {}): string {
  made += 1;
  const head = { typ: "dpop+jwt", alg: by.algorithm, jwk: by.jwk, ...header };
  const payload = {
    jti: `proof-${made}`,
    htm: "GET",
    htu: "http://a.test/",
    iat: SECONDS,
    ath: sha256(token),
    ...claims,
  };
  return forged(head, payload, by.key, by.algorithm);
}

export const sent = (token: string, proof?: string, scheme = "DPoP"): StateOptions => ({
  headerFields: { authorization: `${scheme} ${token}`, ...(proof === undefined ? {} : { dpop: proof }) },
});
