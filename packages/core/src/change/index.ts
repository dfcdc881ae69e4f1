/** Following a policy from elsewhere: loaded when somebody follows one. */
import type { Bundle, BundleTrust } from "./bundle.js";
import type { FollowedEngine } from "./follower.js";
import type { PollOptions } from "./poll.js";
import type { PolicyFollower } from "./report.js";

/**
 * Follows a policy at a URL. Whatever is wrong with an answer, the policy in force stays, `onProblem` is told, and it goes on asking.
 * @throws TypeError (rejects) where an option is wrong, or the URL is neither HTTPS nor on this machine
 * @throws Error (rejects) where a pinned key cannot be used
 */
export async function pollPolicy(
  engine: FollowedEngine,
  url: string,
  options?: PollOptions,
): Promise<PolicyFollower> {
  const poll = await import("./poll.js");
  return poll.pollPolicy(engine, url, options);
}

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
  const verify = await import("./verify-bundle.js");
  return verify.verifyBundle(text, trust);
}
