/** A bundle that is looked at without an engine. */
import { bundleVerifier, type Bundle, type BundleTrust } from "./bundle.js";

/** What the door of this room says. */
export async function verifyBundle(
  text: string,
  trust: BundleTrust & { readonly policyName: string },
): Promise<Bundle> {
  const verifier = await bundleVerifier(trust);
  if (typeof trust.policyName !== "string") throw new TypeError("`policyName` is required");
  return verifier.verify(text, trust.policyName);
}
