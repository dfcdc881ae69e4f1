/** `gatehouse audit`: what a good policy leaves open. */
import type { Input } from "../cli/input.js";
import { EXIT, UsageError, type Io } from "../cli/io.js";
import { policyFrom } from "../lib/policy-file.js";
import { policyNamed } from "../lib/policy-name.js";
import { audit } from "./audit.js";
import { applyBaseline, readBaseline, type Acceptance } from "./baseline.js";
import { SEVERITIES, type AuditFormat, type Severity } from "./choices.js";
import { formatAudit } from "./formats.js";

export async function runAudit(input: Input, io: Io): Promise<number> {
  const file = await policyNamed(input.operands[0], io);
  const given = input.text("format") as AuditFormat | undefined;
  if (input.flag("json") && given !== undefined && given !== "json")
    throw new UsageError(`\`--json\` contradicts \`--format ${given}\``);
  const policy = await policyFrom(file, io);
  const baseline = input.text("baseline");
  const now = io.now();
  const found = applyBaseline(
    audit(policy, { now }),
    baseline === undefined ? [] : await baselineFrom(baseline, io),
    now,
  );
  io.out(
    formatAudit(
      found,
      input.flag("json") ? "json" : (given ?? "pretty"),
      file === "-" ? "<stdin>" : file,
      io.colour,
    ),
  );
  const least = SEVERITIES.indexOf((input.text("fail-on") ?? "medium") as Severity);
  const failing = found.judged.some(
    ({ finding, accepted }) => accepted === undefined && SEVERITIES.indexOf(finding.severity) <= least,
  );
  return failing ? EXIT.findings : EXIT.ok;
}

async function baselineFrom(file: string, io: Io): Promise<readonly Acceptance[]> {
  const text = await io.read(file);
  try {
    return readBaseline(text);
  } catch (error) {
    throw new UsageError(
      `\`${file}\` is no baseline: ${error instanceof SyntaxError ? "it is no JSON" : error instanceof Error ? error.message : "it cannot be read"}`,
    );
  }
}
