/** What came of a request against what a test expects; differences in words. */
import { parsePointer, valueAt } from "../lib/pointer.js";
import type { PolicyResult } from "./exchange.js";
import type { ExpectedHeaders, ExpectedInput, Expectation } from "./policy-test.gen.js";
import { same } from "./same.js";

type Differ = (what: string, wanted: unknown, got: unknown) => void;

/** Empty where the expectation is met. */
export function differences(expected: Expectation, result: PolicyResult): readonly string[] {
  const found: string[] = [...result.problems];
  const differ: Differ = (what, wanted, got) => {
    if (!same(got, wanted)) found.push(`${what}: expected ${show(wanted)}, got ${show(got)}`);
  };
  for (const member of ["outcome", "stage", "code", "status", "route"] as const) {
    if (expected[member] !== undefined) differ(member, expected[member], result[member]);
  }
  compareRule(expected.rule, result.rule, found);
  compareConcealed(expected.concealed, result.concealed, differ);
  compareHeaders(expected.headers ?? {}, result, found);
  compareBody(expected, result, differ, found);
  if (expected.errors !== undefined) differ("errors", problemsOf(expected.errors), problemsIn(result.body));
  if (expected.observed !== undefined)
    differ(
      "observed",
      expected.observed,
      (result.handler?.observed ?? []).map(({ code }) => code),
    );
  if (expected.handler !== undefined) compareHandler(expected.handler, result, differ, found);
  return found;
}

/** A rule that is named by what it stands in is that rule too. */
function compareRule(wanted: string | undefined, got: string | undefined, found: string[]): void {
  if (wanted === undefined || got === wanted || got?.startsWith(`${wanted}/`) === true) return;
  found.push(`rule: expected ${show(wanted)}, got ${show(got)}`);
}

function compareConcealed(wanted: Expectation["concealed"], got: string | undefined, differ: Differ): void {
  if (typeof wanted === "boolean") differ("concealed", wanted, got !== undefined);
  else if (wanted !== undefined) differ("concealed", wanted, got);
}

function compareHeaders(expected: ExpectedHeaders, result: PolicyResult, found: string[]): void {
  for (const [name, wanted] of Object.entries(expected)) {
    const key = name.toLowerCase();
    const got = (Object.hasOwn(result.headers, key) ? result.headers[key] : undefined) ?? null;
    const fits =
      typeof wanted === "object" && wanted !== null
        ? got?.includes(wanted.contains) === true
        : got === wanted;
    if (!fits) found.push(`header ${name}: expected ${show(wanted)}, got ${show(got)}`);
  }
}

function compareBody(expected: Expectation, result: PolicyResult, differ: Differ, found: string[]): void {
  if ("body" in expected) differ("body", expected.body, result.body);
  if (expected.text !== undefined) differ("text", expected.text, result.text);
  for (const [pointer, wanted] of Object.entries(expected.members ?? {}))
    differ(`member ${pointer}`, wanted, at(result.body, pointer));
  for (const pointer of expected.absent ?? []) {
    if (at(result.body, pointer) !== undefined)
      found.push(`member ${pointer}: expected nothing, something left`);
  }
  const everything = `${result.text}\n${result.fields.map((field) => field.join(": ")).join("\n")}`;
  for (const text of expected.withheld ?? []) if (everything.includes(text)) found.push(`${show(text)} left`);
}

function at(body: unknown, pointer: string): unknown {
  return valueAt(body, parsePointer(pointer) ?? []);
}

function problemsOf(problems: readonly unknown[]): readonly string[] {
  return problems
    .map((problem) => `${String(at(problem, "/pointer"))} ${String(at(problem, "/rule"))}`)
    .sort();
}

function problemsIn(body: unknown): readonly string[] {
  const listed = at(body, "/errors");
  return Array.isArray(listed) ? problemsOf(listed) : [];
}

function compareHandler(
  { principal, headers, cookies, ...whole }: ExpectedInput,
  { handler }: PolicyResult,
  differ: Differ,
  found: string[],
): void {
  if (handler === undefined) {
    found.push("the handler did not run");
    return;
  }
  for (const member of ["params", "query", "body"] as const) {
    if (member in whole) differ(`handler's ${member}`, whole[member], handler[member]);
  }
  for (const [name, wanted] of Object.entries(headers ?? {}))
    differ(`handler's header ${name}`, wanted, handler.headers[name]);
  for (const [name, wanted] of Object.entries(cookies ?? {}))
    differ(`handler's cookie ${name}`, wanted, handler.cookies[name]);
  if (principal === null) differ("handler's principal", null, handler.principal);
  else {
    for (const [name, wanted] of Object.entries(principal ?? {}))
      differ(`principal's ${name}`, wanted, handler.principal?.[name]);
  }
}

function show(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
