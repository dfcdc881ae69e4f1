/** A policy's own tests, run before it is put in force. */
import type { PolicyTestRunner } from "../change/follower.js";
import type { PolicyDocument } from "../index.js";

/** Longer lists help nobody. */
const MOST_TOLD = 10;

/**
 * Runs tests as `runPolicyTests` of `@gatehouse/core/testing` does, each file of them against this policy whatever it names itself: with
 * throwaway keys and secrets, a store and a clock of their own, and nothing of the application's called. For `runTests`.
 * @returns what failed; a file that cannot be run has failed
 */
export const policyTests: PolicyTestRunner = async (
  policy: PolicyDocument,
  tests: readonly (object | string)[],
) => {
  // Only who has tests pays for what runs them.
  const { runPolicyTests } = await import("../testing/index.js");
  const failures: string[] = [];
  for (const one of tests) {
    const name = typeof one === "string" ? `\`${one}\`: ` : "";
    try {
      // Their shape is what `runPolicyTests` looks at first.
      const file = one as Parameters<typeof runPolicyTests>[0];
      const report = await runPolicyTests(file, { policy });
      for (const test of report.tests) if (test.status === "failed") failures.push(`${name}${test.name}`);
    } catch (error) {
      failures.push(`${name}the tests cannot be run: ${error instanceof Error ? error.message : "unknown"}`);
    }
  }
  const more = failures.length - MOST_TOLD;
  return more > 0 ? [...failures.slice(0, MOST_TOLD), `and ${more} more`] : failures;
};
