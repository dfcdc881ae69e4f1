/** A policy from a file, for commands that need one that can be served. */
import {
  checkPolicy,
  formatDiagnostic,
  parsePolicy,
  PolicyError,
  type PolicyDocument,
} from "@gatehouse/core";
import { UsageError, type Io } from "../cli/io.js";

/** @throws UsageError with every problem of a policy that cannot be served */
export async function policyFrom(file: string, io: Io): Promise<PolicyDocument> {
  const text = await io.read(file);
  try {
    const policy = parsePolicy(text, file === "-" ? undefined : file);
    const errors = checkPolicy(policy).filter(({ severity }) => severity === "error");
    if (errors.length > 0) throw new PolicyError(errors);
    return policy;
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    const problems = error.diagnostics
      .map((one) => `\n  ${formatDiagnostic(one).replaceAll("\n", "\n  ")}`)
      .join("");
    throw new UsageError(
      `the policy cannot be served${problems}`,
      `\`gatehouse check ${file}\` shows each in its place`,
    );
  }
}
