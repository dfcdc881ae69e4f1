/** Makes signed bundles: for the pipeline that publishes policies, never for the service that reads them. */
import { constants, createPrivateKey, createPublicKey, sign, type KeyObject } from "node:crypto";
import { BUNDLE_TYPE, bundleVerifier, type BundleKey } from "../change/bundle.js";
import { checkPolicy, PolicyError, type PolicyDocument } from "../index.js";
import { canonicalJson } from "../lib/canonical-json.js";
import { JWS_ALGORITHMS } from "../lib/jws.js";

export interface BundleContent {
  /** Higher than that of every bundle before. */
  readonly revision: number;
  readonly policy: PolicyDocument;
  /** Files of tests as objects (`*.policy-test.json`); they run before the policy is put in force. */
  readonly tests?: readonly object[];
}

export interface SigningKey {
  readonly kid: string;
  readonly algorithm: BundleKey["algorithm"];
  /** PEM, or a key that was read before. */
  readonly privateKey: string | KeyObject;
}

/**
 * @param keys one or, while keys are changed, several
 * @returns the bundle's text
 * @throws PolicyError (rejects) for a policy that cannot be served
 * @throws Error (rejects) for a key that does not fit its algorithm, or content that no reader would take
 */
export async function signBundle(content: BundleContent, keys: readonly SigningKey[]): Promise<string> {
  const { revision, policy, tests } = content;
  const problems = checkPolicy(policy).filter(({ severity }) => severity === "error");
  if (problems.length > 0) throw new PolicyError(problems);
  if (keys.length === 0) throw new Error("there is no key to sign with");
  const readers = await Promise.all(keys.map((key) => bundleVerifier({ keys: [publicOf(key)] })));
  const payload = { revision, ...(tests !== undefined && { tests }), policy };
  const encoded = Buffer.from(canonicalJson(payload)).toString("base64url");
  const signatures = keys.map((key) => signatureOf(encoded, key));
  const text = `${JSON.stringify({ gatehouseBundle: 1, payload, signatures }, null, 2)}\n`;
  // What a reader would refuse must not be published; each signature for itself, as a reader may have pinned only one of the keys.
  for (const reader of readers) await reader.verify(text, policy.name);
  return text;
}

function privateOf({ kid, privateKey }: SigningKey): KeyObject {
  if (typeof privateKey !== "string") return privateKey;
  try {
    return createPrivateKey(privateKey);
  } catch {
    // OpenSSL's own message may describe the key.
    throw new Error(`the key \`${kid}\` holds no private key that can be read`);
  }
}

function publicOf(key: SigningKey): BundleKey {
  const pem = createPublicKey(privateOf(key)).export({ type: "spki", format: "pem" }).toString();
  return { kid: key.kid, algorithm: key.algorithm, pem };
}

function signatureOf(encoded: string, key: SigningKey): string {
  const { kid, algorithm } = key;
  const facts = JWS_ALGORITHMS[algorithm];
  const header = Buffer.from(JSON.stringify({ alg: algorithm, kid, typ: BUNDLE_TYPE })).toString("base64url");
  const input = Buffer.from(`${header}.${encoded}`);
  const hash = facts.scheme === "eddsa" ? null : `sha${facts.hashBytes * 8}`;
  const signature = sign(hash, input, {
    key: privateOf(key),
    ...(facts.scheme === "ecdsa" && { dsaEncoding: "ieee-p1363" as const }),
    ...(facts.scheme === "rsa-pss" && {
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    }),
  });
  return `${header}..${signature.toString("base64url")}`;
}
