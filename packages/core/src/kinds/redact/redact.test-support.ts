/** One route under one `response`, as the engine would compile it. */
import { createHmac } from "node:crypto";
import { expect } from "vitest";
import { Report, type Diagnostic } from "../../errors/diagnostics.js";
import { textWritten } from "../../lib/written.test-support.js";
import type { BodyOutcome, BodyRule } from "../../model/compiled.js";
import type { CompileEnvironment } from "../../model/kind.js";
import type { PolicyDocument, RouteSettings } from "../../model/policy.js";
import { stateFor, type TestState } from "../../model/state.test-support.js";
import { resolvePolicy } from "../../compile/resolve.js";
import { platform } from "../../platform/node.js";
import { redactKind } from "./index.js";

export const KEY = "0123456789abcdef0123456789abcdef";

/** An open `GET /` with this `response`; the rest of the document and of the route as given. */
export function documentWith(
  response: unknown,
  rest: Partial<PolicyDocument> = {},
  route: Partial<RouteSettings> = {},
): PolicyDocument {
  const settings = {
    authenticate: "none",
    ...route,
    ...(response === undefined ? {} : { response }),
  } as RouteSettings;
  return { gatehouse: 1, name: "t", ...rest, routes: { "GET /": settings } };
}

export function diagnose(document: PolicyDocument): readonly Diagnostic[] {
  const report = new Report();
  const policy = resolvePolicy(document, report);
  if (policy !== undefined) redactKind.check(policy, report);
  return report.diagnostics;
}

export function environmentFor(report: Report, generatesCode = false): CompileEnvironment {
  return {
    report,
    secret: async () => new TextEncoder().encode(KEY),
    platform: {
      generatesCode,
      textOfAscii: generatesCode ? platform.textOfAscii : undefined,
      secretProblem: platform.secretProblem,
      hmacSha256: (key: Uint8Array, data: Uint8Array | string) =>
        new Uint8Array(createHmac("sha256", key).update(data).digest()),
    },
  } as unknown as CompileEnvironment;
}

/** In the order of the routes' keys. */
export async function rulesOf(
  document: PolicyDocument,
  generatesCode = false,
): Promise<readonly (BodyRule | undefined)[]> {
  const report = new Report();
  const policy = resolvePolicy(document, report);
  if (policy === undefined) throw new Error("the document could not be resolved");
  redactKind.check(policy, report);
  if (report.failed) throw new Error(JSON.stringify(report.diagnostics));
  const kind = await redactKind.compile(policy, environmentFor(report, generatesCode));
  return policy.routes.map((route) => kind.bodyRule?.(route));
}

export async function ruleOf(document: PolicyDocument, generatesCode = false): Promise<BodyRule | undefined> {
  const [rule] = await rulesOf(document, generatesCode);
  return rule;
}

export interface Applied {
  readonly outcome: BodyOutcome;
  readonly state: TestState;
}

export async function apply(
  document: PolicyDocument,
  value: unknown,
  status = 200,
  state: TestState = stateFor(),
): Promise<Applied> {
  const rule = await ruleOf(document);
  if (rule === undefined) throw new Error("the route has no body rule");
  return { outcome: rule.apply(value, status, state), state };
}

/** What leaves under this `response`, as the client would parse it; the outcome itself where nothing leaves. */
export async function leaves(response: unknown, value: unknown, status = 200): Promise<unknown> {
  const document = documentWith(response, { redaction: { key: { secret: "env:KEY" } } });
  const { outcome } = await apply(document, value, status);
  await compareWays(document, value, status);
  return outcome.kind === "json" ? (JSON.parse(JSON.stringify(outcome.value)) as unknown) : outcome;
}

/** Enough for a layout to have its code. */
export const WARM = 5;

/** What came of a value, as the client and the operator see it. */
export interface Seen {
  readonly outcome: unknown;
  readonly reports: readonly string[];
}

export function seenBy(rule: BodyRule, value: unknown, status = 200): Seen {
  const state = stateFor();
  const outcome = rule.apply(value, status, state);
  const { reports } = state;
  return { outcome: outcome.kind === "json" ? JSON.stringify(outcome.value) : outcome, reports };
}

/** As `seenBy`, by the way that writes at once. */
export function seenWritten(rule: BodyRule, value: unknown, status = 200): Seen {
  const state = stateFor();
  const outcome = rule.write?.(value, status, state);
  if (outcome === undefined) return seenBy(rule, value, status);
  const { reports } = state;
  return { outcome: outcome.kind === "written" ? textWritten(outcome.json) : outcome, reports };
}

/** Undefined: the text has to be parsed. Else it has nothing to report. */
export function seenInText(rule: BodyRule, text: string | Uint8Array, status = 200): Seen | undefined {
  const state = stateFor();
  const outcome = rule.applyToText?.(text, status, state);
  return outcome === undefined ? undefined : { outcome: textWritten(outcome), reports: state.reports };
}

/** The same where it is written at once, with and without generated code, and from text. */
async function compareWays(document: PolicyDocument, value: unknown, status: number): Promise<void> {
  const text = textOf(value);
  if (text === undefined) return;
  const [walking, generated] = [await ruleOf(document), await ruleOf(document, true)];
  if (walking === undefined || generated === undefined) return;
  const expected = seenBy(walking, JSON.parse(text), status);
  for (let count = 0; count <= WARM; count++) {
    expect(seenWritten(walking, JSON.parse(text), status)).toEqual(expected);
    expect(seenWritten(generated, JSON.parse(text), status)).toEqual(expected);
    expect(seenInText(generated, text, status) ?? expected).toEqual(expected);
  }
}

/** Undefined: it is no plain data, and looking at it may change what it answers. */
function textOf(value: unknown): string | undefined {
  return isData(value, 0) ? JSON.stringify(value) : undefined;
}

function isData(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null)
    return typeof value !== "bigint" && typeof value !== "function";
  const members = Object.values(Object.getOwnPropertyDescriptors(value));
  return depth < 100 && members.every((member) => "value" in member && isData(member.value, depth + 1));
}
