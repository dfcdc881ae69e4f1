import type { PolicyDocument } from "../model/policy.js";

/**
 * Types a policy that is written in TypeScript; it comes back as it was given.
 * It checks nothing: `checkPolicy` and `createEngine` do, since most of what can be wrong no type can say.
 */
export function definePolicy<const Policy extends PolicyDocument>(policy: Policy): Policy {
  return policy;
}
