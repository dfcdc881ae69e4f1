/** Makes signed bundles: for the pipeline that publishes policies, never for the service that reads them. */
import { BUNDLE_TYPE, bundleVerifier } from "../change/bundle.js";
import { checkPolicy, PolicyError, type PolicyDocument } from "../index.js";
import { canonicalJson } from "../lib/canonical-json.js";
import { publicOf, signJws, type SigningKey } from "./signing.js";

export interface BundleContent {
  /** Higher than that of every bundle before. */
  readonly revision: number;
  readonly policy: PolicyDocument;
  /** Files of tests as objects (`*.policy-test.json`); they run before the policy is put in force. */
  readonly tests?: readonly object[];
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

function signatureOf(encoded: string, key: SigningKey): string {
  const { header, signature } = signJws(encoded, key, BUNDLE_TYPE);
  return `${header}..${signature}`;
}
