/** Rules of texts and numbers. */
import type { Report } from "../errors/diagnostics.js";
import type { Rule } from "./shape-rule.js";
import { literalSecret } from "./shape-refusals.js";
import { quote } from "./words.js";

const PATTERNS = new Map<string, RegExp>();

/** The table's patterns are ours and few; each is compiled once. */
export function matches(pattern: string, text: string): boolean {
  let compiled = PATTERNS.get(pattern);
  if (compiled === undefined) PATTERNS.set(pattern, (compiled = new RegExp(pattern, "u")));
  return compiled.test(text);
}

export function checkString(value: string, rule: Rule, pointer: string, report: Report): void {
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern } = rule;
  if (value.length < minLength) {
    report.error("empty-text", pointer, "the text is empty", "write something, or leave the key out");
  } else if (value.length > maxLength) {
    // Before any pattern: what it costs is bounded by the length.
    report.error(
      "too-long",
      pointer,
      `the text has ${value.length} characters, at most ${maxLength} are allowed`,
    );
  } else if (pattern !== undefined && !matches(pattern, value)) {
    wrongText(value, rule, pointer, report);
  }
}

function wrongText(value: string, rule: Rule, pointer: string, report: Report): void {
  if (rule.holdsSecret === true) return literalSecret(pointer, report);
  const found = rule.sensitive === true ? "the text does" : `${quote(value)} does`;
  report.error("invalid-value", pointer, `${found} not fit here`, `write ${rule.expected ?? "another text"}`);
}

export function checkNumber(value: number, rule: Rule, pointer: string, report: Report): void {
  const { minimum, maximum, exclusiveMinimum } = rule;
  if (!Number.isFinite(value)) return report.error("not-json", pointer, `\`${value}\` is no JSON number`);
  if (rule.type === "integer" && !Number.isSafeInteger(value)) {
    return report.error("wrong-type", pointer, `expected a whole number, found \`${value}\``);
  }
  if (minimum !== undefined && value < minimum) outOfRange(`below ${minimum}`);
  else if (exclusiveMinimum !== undefined && value <= exclusiveMinimum)
    outOfRange(`not above ${exclusiveMinimum}`);
  else if (maximum !== undefined && value > maximum) outOfRange(`above ${maximum}`);

  function outOfRange(how: string): void {
    report.error("out-of-range", pointer, `\`${value}\` is ${how}`, `write ${range(rule)}`);
  }
}

function range({ minimum, maximum, exclusiveMinimum }: Rule): string {
  const low = exclusiveMinimum === undefined ? `from ${minimum ?? "any"}` : `above ${exclusiveMinimum}`;
  return maximum === undefined ? `a number ${low}` : `a number ${low} to ${maximum}`;
}
