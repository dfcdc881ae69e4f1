/** Diagnostics for code scanning. */
import { DIAGNOSTIC_CODES } from "@gatehouse/core";
import { sarifOf } from "../lib/sarif.js";
import { version } from "../lib/version.js";
import type { CheckedText } from "./check.js";

export function formatSarif(checked: readonly CheckedText[]): string {
  const findings = checked.flatMap(({ file, diagnostics }) =>
    diagnostics.map(({ code, severity, pointer, message, help, line, column }) => ({
      ruleId: code,
      level: severity,
      // A result has one text, and the mend belongs to the place, not to the rule.
      message: help === undefined ? message : `${message}; ${help}`,
      file,
      pointer,
      line,
      column,
    })),
  );
  const codes = [...new Set(findings.map(({ ruleId }) => ruleId))].sort();
  const rules = codes.map((id) => ({ id, text: DIAGNOSTIC_CODES[id] ?? id }));
  return sarifOf(version(), rules, findings);
}
