/** What is wrong with a test, told before it runs. */
import { formatDiagnostic, type Diagnostic } from "../index.js";
import { quote } from "../compile/words.js";

/** Thrown where tests cannot be run as they are written: every problem at once, each with its place and its mend. */
export class PolicyTestError extends Error {
  override readonly name = "PolicyTestError";
  declare readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(["the policy tests cannot be run", ...diagnostics.map(formatDiagnostic)].join("\n"));
    // The message has them all: enumerable, a console would print each of them twice.
    Object.defineProperty(this, "diagnostics", { value: diagnostics });
  }
}

export function didNotFit(found: string, expected: string): TypeError {
  return new TypeError(`${quote(found)} does not fit here: write ${expected}`);
}
