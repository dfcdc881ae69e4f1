/** A refusal that more than one rule of shape has cause for. */
import type { Report } from "../errors/diagnostics.js";

/** A secret in a policy is in its repository, its logs and its backups too. The message never repeats it. */
export function literalSecret(pointer: string, report: Report): void {
  report.error(
    "literal-secret",
    pointer,
    "a literal stands where a secret belongs",
    'take it out of the policy and refer to it: `{ "secret": "env:NAME" }`',
  );
}
