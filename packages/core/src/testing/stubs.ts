/** The application's code, as a test words it. */
import { didYouMean } from "../errors/did-you-mean.js";
import type { Report } from "../errors/diagnostics.js";
import type { Check, CheckInput, PolicyDocument } from "../index.js";
import { pointerTo } from "../lib/pointer.js";
import type { AuthorizeEntry } from "../model/policy.js";
import type { CheckCase, CheckStub, FailureStubs } from "./policy-test.gen.js";
import { same } from "./same.js";

/** What a test says of the application's code. In a test that is code, a check may be the function itself. */
export interface Stubs {
  readonly checks: Readonly<Record<string, CheckStub | Check>>;
  readonly authenticators: FailureStubs;
  readonly lookups: FailureStubs;
}

export const NO_STUBS: Stubs = { checks: {}, authenticators: {}, lookups: {} };

/** @throws Error where the stub says so: that is what it is for */
export function askCheck(stub: CheckStub | Check, input: CheckInput): boolean | Promise<boolean> {
  if (typeof stub === "function") return stub(input);
  if (stub === "throws") throw new Error("the stub of the check throws");
  if (typeof stub === "boolean") return stub;
  return stub.some((one) => isCase(one, input));
}

function isCase({ principal, params = {} }: CheckCase, input: CheckInput): boolean {
  if (principal !== undefined && input.principal?.id !== principal) return false;
  return Object.entries(params).every(([name, value]) => same(input.params[name], value));
}

/** Names of code that a policy calls. */
export interface CalledCode {
  readonly checks: readonly string[];
  readonly authenticators: readonly string[];
  readonly lookups: readonly string[];
  /** Told, never asked: no test has a stub for it. */
  readonly lastSeen: readonly string[];
}

export function codeCalledBy(document: PolicyDocument): CalledCode {
  const settings = Object.values(document.authenticators ?? {});
  const used = settings.flatMap((one) => (one.type === "custom" ? [one.use] : []));
  const lookups = settings.flatMap((one) =>
    one.type === "api-key" && "lookup" in one.keys ? [one.keys.lookup] : [],
  );
  const told = settings.flatMap((one) =>
    one.type === "api-key" && one.lastSeen !== undefined ? [one.lastSeen] : [],
  );
  return {
    checks: checksIn(document),
    authenticators: [...new Set(used)],
    lookups: [...new Set(lookups)],
    lastSeen: [...new Set(told)],
  };
}

function checksIn(document: PolicyDocument): readonly string[] {
  const clauses = [
    document.defaults?.authorize,
    ...Object.values(document.groups ?? {}).map(({ require }) => require),
    ...Object.values(document.routes).map(({ authorize }) => authorize),
  ];
  const entries = clauses.flatMap(entriesOf);
  return [...new Set(entries.flatMap(({ check = [] }) => check))];
}

type Clause = NonNullable<PolicyDocument["defaults"]>["authorize"];

function entriesOf(clause: Clause): readonly AuthorizeEntry[] {
  if (clause === undefined || typeof clause === "string") return [];
  return isList(clause) ? clause : [clause];
}

/** `Array.isArray` knows no readonly arrays. */
function isList<T extends object>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

/** A stub that nothing calls is a slip: what it should have stood in for goes on as it was. */
export function checkStubs(
  stubs: { readonly [kind in keyof Stubs]?: Readonly<Record<string, unknown>> | undefined },
  called: CalledCode,
  pointer: string,
  report: Report,
): void {
  for (const kind of ["checks", "authenticators", "lookups"] as const) {
    for (const name of Object.keys(stubs[kind] ?? {})) {
      if (called[kind].includes(name)) continue;
      const message = `the policy calls none of the application's ${kind} \`${name}\``;
      const help = didYouMean(name, called[kind]) ?? "leave it out";
      report.error("unknown-function", pointerTo(pointer, kind, name), message, help);
    }
  }
}
