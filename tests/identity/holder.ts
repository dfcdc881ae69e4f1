/** Whoever holds a key that tokens are bound to (RFC 9449). */
import { createHash, sign, type KeyObject } from "node:crypto";
import { ecPair } from "../../packages/core/src/node/key-pair.js";

const base64Url = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

let made = 0;

/** Whoever holds a key: its proofs are as RFC 9449 section 4.2 says, unless a test says otherwise. */
export class Holder {
  readonly #privateKey: KeyObject;
  readonly #jwk: object;

  constructor() {
    const { privateKey, publicKey } = ecPair("P-256");
    this.#privateKey = privateKey;
    this.#jwk = { ...publicKey.export({ format: "jwk" }) };
  }

  prove(htm: string, htu: string, claims: object = {}): string {
    made += 1;
    const header = base64Url({ typ: "dpop+jwt", alg: "ES256", jwk: this.#jwk });
    const payload = base64Url({
      jti: `e2e-${made}`,
      iat: Math.floor(Date.now() / 1000),
      htm,
      htu,
      ...claims,
    });
    const input = `${header}.${payload}`;
    const signature = sign("sha256", Buffer.from(input), {
      key: this.#privateKey,
      dsaEncoding: "ieee-p1363",
    });
    return `${input}.${signature.toString("base64url")}`;
  }

  /** For a request with a token. */
  proveWith(token: string, htu: string, claims: object = {}): string {
    const ath = createHash("sha256").update(token).digest("base64url");
    return this.prove("GET", htu, { ath, ...claims });
  }
}
