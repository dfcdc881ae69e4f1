/** `gatehouse openapi`: what a policy enforces, as OpenAPI; and how far a team's own description is from it. */
import type { PolicyDocument } from "@gatehouse/core";
import type { Input } from "../cli/input.js";
import { EXIT, UsageError, type Io } from "../cli/io.js";
import { policyFrom } from "../lib/policy-file.js";
import { policyNamed } from "../lib/policy-name.js";
import { describePolicy } from "./describe.js";
import { driftOf, type DriftReport } from "./drift.js";
import { formatDrift } from "./format-drift.js";
import { OpenApiError } from "./source.js";

export async function runOpenApi(input: Input, io: Io): Promise<number> {
  const drift = input.text("drift");
  if (drift !== undefined && (input.flag("plain") || input.has("api-version")))
    throw new UsageError("`--plain` and `--api-version` are for what is written, not for `--drift`");
  const file = await policyNamed(input.operands[0], io);
  const policy = await policyFrom(file, io);
  if (drift !== undefined) return await compared(policy, drift, input, io);
  const description = describePolicy(policy, {
    plain: input.flag("plain"),
    version: input.text("api-version"),
  });
  io.out(`${JSON.stringify(description, null, 2)}\n`);
  return EXIT.ok;
}

async function compared(policy: PolicyDocument, file: string, input: Input, io: Io): Promise<number> {
  const report = await reportOf(policy, file, io);
  if (input.flag("json")) io.out(`${JSON.stringify({ file, ...report }, null, 2)}\n`);
  else io.out(formatDrift(report, file, io.colour));
  return report.drifts.length > 0 ? EXIT.findings : EXIT.ok;
}

async function reportOf(policy: PolicyDocument, file: string, io: Io): Promise<DriftReport> {
  const text = await io.read(file);
  try {
    return await driftOf(policy, text, { file: file === "-" ? undefined : file });
  } catch (error) {
    if (error instanceof OpenApiError) throw new UsageError(`\`${file}\`: ${error.message}`, error.help);
    throw error;
  }
}
