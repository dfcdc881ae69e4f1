/** All that is wrong with a policy text, whatever it is. */
import { checkPolicy, parsePolicy, PolicyError, type Diagnostic } from "@gatehouse/core";

/**
 * Every problem of a policy, in the order of the text. Reads nothing but what it is given: no file, secret or network.
 * @param text JSON with comments
 * @param file names the text in diagnostics
 */
export function check(text: string, file?: string): readonly Diagnostic[] {
  try {
    return checkPolicy(parsePolicy(text, file));
  } catch (error) {
    if (error instanceof PolicyError) return error.diagnostics;
    throw error;
  }
}

/** A text with what was found in it. */
export interface CheckedText {
  readonly file: string;
  readonly text: string;
  readonly diagnostics: readonly Diagnostic[];
}

export interface Counts {
  readonly errors: number;
  readonly warnings: number;
}

export function countsOf(checked: readonly CheckedText[]): Counts {
  const all = checked.flatMap(({ diagnostics }) => diagnostics);
  const errors = all.filter(({ severity }) => severity === "error").length;
  return { errors, warnings: all.length - errors };
}

/** `2 errors, 1 warning`; undefined when there is nothing. */
export function describeCounts({ errors, warnings }: Counts): string | undefined {
  const parts = [plural(errors, "error"), plural(warnings, "warning")].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(", ");
}

function plural(count: number, noun: string): string | undefined {
  return count === 0 ? undefined : `${count} ${noun}${count === 1 ? "" : "s"}`;
}
