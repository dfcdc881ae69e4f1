/** `gatehouse audit`: what a good policy leaves open. */
import type { Command } from "../cli/command.js";
import { AUDIT_FORMATS, SEVERITIES } from "./choices.js";

export const auditCommand: Command = {
  name: "audit",
  summary: "what a policy leaves open, with severity, place, mend, and OWASP and ASVS ids",
  usage: ["[POLICY] [--format FORMAT] [--baseline FILE] [--fail-on SEVERITY]"],
  operands: { least: 0, most: 1, what: "a policy file" },
  about:
    "Reads the policy alone. Findings that are accepted stand in a baseline file, each with a reason and a day on which it ends: " +
    '`{ "accepted": [{ "rule", "pointer", "reason", "expires" }] }`. ' +
    "Exits with 1 where a finding of --fail-on or graver is not accepted. Without a file it is gatehouse.policy.jsonc of the current folder.",
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
  run: async (input, io) => (await import("./run.js")).runAudit(input, io),
};
