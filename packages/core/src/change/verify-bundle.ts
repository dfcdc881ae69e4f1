/** A bundle that is looked at without an engine. */
import { bundleVerifier, type Bundle, type BundleTrust } from "./bundle.js";

/**
 * Reads a signed bundle as `pollPolicy` and `watchPolicy` do. Whether its policy can be served is not looked at.
 * @param trust `policyName` is required here: there is no policy in force that would tell
 * @throws Error (rejects) saying why it is not to be trusted
 * @throws TypeError (rejects) where `trust` is wrong
 */
export async function verifyBundle(
  text: string,
  trust: BundleTrust & { readonly policyName: string },
): Promise<Bundle> {
  const verifier = await bundleVerifier(trust);
  if (typeof trust.policyName !== "string") throw new TypeError("`policyName` is required");
  return verifier.verify(text, trust.policyName);
}
