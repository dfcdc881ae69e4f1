/** Diagnostics for a program. */
import { countsOf, type CheckedText } from "./check.js";

export function formatJson(checked: readonly CheckedText[]): string {
  const files = checked.map(({ file, diagnostics }) => ({ file, diagnostics }));
  return `${JSON.stringify({ ...countsOf(checked), files }, null, 2)}\n`;
}
