/** `gatehouse audit`: what a good policy leaves open. */
import type { Command } from "../cli/command.js";
import { EXIT, UsageError, type Io } from "../cli/io.js";
import { policyFrom } from "../lib/policy-file.js";
import { audit } from "./audit.js";
import { applyBaseline, readBaseline, type Acceptance } from "./baseline.js";
import { SEVERITIES, type Severity } from "./finding.js";
import { AUDIT_FORMATS, formatAudit, type AuditFormat } from "./formats.js";

export const auditCommand: Command = {
  name: "audit",
  summary: "what a policy leaves open, with severity, place, mend, and OWASP and ASVS ids",
  usage: ["POLICY [--format FORMAT] [--baseline FILE] [--fail-on SEVERITY]"],
  operands: { least: 1, most: 1, what: "a policy file" },
  about:
    "Reads the policy alone. Findings that are accepted stand in a baseline file, each with a reason and a day on which it ends: " +
    '`{ "accepted": [{ "rule", "pointer", "reason", "expires" }] }`. ' +
    "Exits with 1 where a finding of --fail-on or graver is not accepted.",
  options: {
    format: { type: "text", choices: AUDIT_FORMATS, help: "Default pretty." },
    json: { type: "flag", help: "Short for --format json." },
    baseline: { type: "text", value: "FILE", help: "Accepted findings." },
    "fail-on": { type: "text", choices: [...SEVERITIES, "never"], help: "Default medium." },
  },
  examples: [
    "gatehouse audit policy.jsonc",
    "gatehouse audit policy.jsonc --baseline accepted.json --fail-on low",
    "gatehouse audit policy.jsonc --format sarif > audit.sarif",
  ],
  async run(input, io) {
    const [file = ""] = input.operands;
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
  },
};

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
