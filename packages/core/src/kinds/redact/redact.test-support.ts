/** One route under one `response`, as the engine would compile it. */
import { createHmac } from "node:crypto";
import { Report, type Diagnostic } from "../../errors/diagnostics.js";
import type { BodyOutcome, BodyRule } from "../../model/compiled.js";
import type { CompileEnvironment } from "../../model/kind.js";
import type { PolicyDocument, RouteSettings } from "../../model/policy.js";
import { stateFor, type TestState } from "../../model/state.test-support.js";
import { resolvePolicy } from "../../compile/resolve.js";
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

export function environmentFor(report: Report): CompileEnvironment {
  return {
    report,
    secret: async () => new TextEncoder().encode(KEY),
    platform: {
      hmacSha256: (key: Uint8Array, data: Uint8Array | string) =>
        new Uint8Array(createHmac("sha256", key).update(data).digest()),
    },
  } as unknown as CompileEnvironment;
}

/** In the order of the routes' keys. */
export async function rulesOf(document: PolicyDocument): Promise<readonly (BodyRule | undefined)[]> {
  const report = new Report();
  const policy = resolvePolicy(document, report);
  if (policy === undefined) throw new Error("the document could not be resolved");
  redactKind.check(policy, report);
  if (report.failed) throw new Error(JSON.stringify(report.diagnostics));
  const kind = await redactKind.compile(policy, environmentFor(report));
  return policy.routes.map((route) => kind.bodyRule?.(route));
}

export async function ruleOf(document: PolicyDocument): Promise<BodyRule | undefined> {
  const [rule] = await rulesOf(document);
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
  const { outcome } = await apply(
    documentWith(response, { redaction: { key: { secret: "env:KEY" } } }),
    value,
    status,
  );
  return outcome.kind === "json" ? (JSON.parse(JSON.stringify(outcome.value)) as unknown) : outcome;
}
