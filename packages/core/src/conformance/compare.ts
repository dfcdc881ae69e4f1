/** What came of a request against what the case expects; differences in words. */
import { isDeepStrictEqual } from "node:util";
import type { Admission, DecisionEvent } from "../index.js";
import type { CaseExpectation } from "./case.js";

/** What one run of a step showed. Over a socket the decision itself is seen through the engine's event. */
export interface Observed {
  readonly outcome: string;
  readonly stage?: string | undefined;
  readonly code?: string | undefined;
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly text: string;
  readonly admission: Admission | undefined;
  readonly observed: readonly string[];
  /** What the operator is told; undefined where the server itself answered. */
  readonly event: DecisionEvent | undefined;
}

export function differences(expected: CaseExpectation, seen: Observed): string[] {
  const found: string[] = [];
  const same = (what: string, wanted: unknown, got: unknown): void => {
    if (!isDeepStrictEqual(plain(got), plain(wanted)))
      found.push(`${what}: expected ${show(wanted)}, got ${show(got)}`);
  };
  same("outcome", expected.outcome, seen.outcome);
  if (expected.stage !== undefined) same("stage", expected.stage, seen.stage);
  if (expected.code !== undefined) same("code", expected.code, seen.code);
  same("status", expected.status, seen.status);
  compareHeaders(expected, seen, found);
  compareBody(expected, seen, same, found);
  if (expected.observed !== undefined) same("observed", expected.observed, seen.observed);
  if (expected.record !== undefined) {
    const { facts, absent, omitted } = seen.event ?? {};
    same("record", { facts: {}, ...expected.record }, { facts: {}, ...defined({ facts, absent, omitted }) });
  }
  if (expected.handler !== undefined) compareHandler(expected.handler, seen.admission, same, found);
  return found;
}

type Same = (what: string, wanted: unknown, got: unknown) => void;

function compareHeaders(expected: CaseExpectation, seen: Observed, found: string[]): void {
  for (const [name, wanted] of Object.entries(expected.headers ?? {})) {
    const values = seen.headers
      .filter(([field]) => field.toLowerCase() === name.toLowerCase())
      .map(([, value]) => value);
    const got = values.length === 0 ? null : values.join(", ");
    const fits =
      typeof wanted === "object" && wanted !== null
        ? got?.includes(wanted.contains) === true
        : got === wanted;
    if (!fits) found.push(`header ${name}: expected ${show(wanted)}, got ${show(got)}`);
  }
}

function compareBody(expected: CaseExpectation, seen: Observed, same: Same, found: string[]): void {
  if (expected.text !== undefined) same("text", expected.text, seen.text);
  if ("json" in expected) same("json", expected.json, jsonOf(seen.text));
  const value = jsonOf(seen.text);
  for (const [name, wanted] of Object.entries(expected.members ?? {}))
    same(`member ${name}`, wanted, memberOf(value, name));
  for (const text of expected.absent ?? []) {
    const everything = `${seen.text}\n${seen.headers.map((field) => field.join(": ")).join("\n")}`;
    if (everything.includes(text)) found.push(`\`${text}\` left`);
  }
  if (expected.errors !== undefined) {
    const listed = memberOf(value, "errors");
    const pairs = Array.isArray(listed)
      ? listed.map(
          (problem: unknown) =>
            `${String(memberOf(problem, "pointer"))} ${String(memberOf(problem, "rule"))}`,
        )
      : [];
    same("errors", expected.errors.map((pair) => pair.join(" ")).sort(), pairs.sort());
  }
}

function compareHandler(
  expected: NonNullable<CaseExpectation["handler"]>,
  admission: Admission | undefined,
  same: Same,
  found: string[],
): void {
  if (admission === undefined) {
    found.push("the handler did not run");
    return;
  }
  const { principal, ...rest } = expected;
  for (const [name, wanted] of Object.entries(rest))
    same(`handler's ${name}`, wanted, memberOf(admission, name));
  if (principal === undefined) return;
  if (principal === null) same("handler's principal", null, admission.principal);
  else
    for (const [name, wanted] of Object.entries(principal))
      same(`principal's ${name}`, wanted, admission.principal?.[name]);
}

/** No member that is undefined, which would hide a default. */
function defined(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Without prototypes and with JSON's own types, so that null-prototype records compare by what they hold. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);
}

function show(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
