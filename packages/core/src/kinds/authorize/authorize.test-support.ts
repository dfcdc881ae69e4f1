/** Runs the stages of this kind alone, in their order, on one route of a document. */
import { resolvePolicy } from "../../compile/resolve.js";
import { Report } from "../../errors/diagnostics.js";
import type { Diagnostic } from "../../errors/diagnostics.js";
import type { Stage } from "../../model/compiled.js";
import type { CompileEnvironment } from "../../model/kind.js";
import type { Verdict } from "../../model/outcome.js";
import type { PolicyDocument, RouteSettings } from "../../model/policy.js";
import type { Identity } from "../../model/principal.js";
import { stateFor } from "../../model/state.test-support.js";
import type { StateOptions, TestState } from "../../model/state.test-support.js";
import type { Check } from "../../ports/application.js";
import { rankOf } from "../../stages.js";
import { authorizeKind } from "./index.js";

export const BODY = {
  type: "object",
  properties: { n: { type: "integer" }, s: { type: "string" } },
} as const;

export function documentWith(route: RouteSettings, parts: Partial<PolicyDocument> = {}): PolicyDocument {
  return {
    gatehouse: 1,
    name: "t",
    authenticators: {
      user: {
        type: "jwt",
        issuer: "i",
        audience: "a",
        algorithms: ["ES256"],
        keys: { jwks: { keys: [] } },
        principal: { tenant: "org" },
      },
      partner: { type: "api-key", in: "header", name: "X-API-Key", keys: { secret: "env:K" } },
    },
    roles: { admin: ["clerk"], clerk: ["customer"], customer: [] },
    routes: { "POST /x/:id": { authenticate: ["user", "partner"], ...route } },
    ...parts,
  };
}

export function checked(document: PolicyDocument): readonly Diagnostic[] {
  const report = new Report();
  const policy = resolvePolicy(document, report);
  if (policy !== undefined) authorizeKind.check(policy, report);
  return report.diagnostics;
}

export async function stagesOf(
  document: PolicyDocument,
  checks: Readonly<Record<string, Check>> = {},
  report: Report = new Report(),
): Promise<readonly Stage[]> {
  const policy = resolvePolicy(document, report);
  if (policy === undefined) throw new Error(JSON.stringify(report.diagnostics));
  authorizeKind.check(policy, report);
  const kind = await authorizeKind.compile(policy, { checks, report } as CompileEnvironment);
  const [route] = policy.routes;
  const stages = route === undefined ? [] : (kind.stages?.(route) ?? []);
  return [...stages].sort((a, b) => rankOf(a.at) - rankOf(b.at));
}

/** Stage and code of the first that says no; `admitted` when none does. Observing goes on, and lists all. */
export async function decide(stages: readonly Stage[], state: TestState): Promise<string> {
  for (const stage of stages) {
    const verdict: Verdict = await stage.run(state);
    if (verdict === undefined) continue;
    if (verdict.kind === "refusal") return `${stage.at}: ${verdict.code}`;
    return `${stage.at}: ${verdict.kind}${verdict.kind === "fault" ? ` ${verdict.where}` : ""}`;
  }
  return "admitted";
}

export interface Who {
  readonly roles?: readonly string[];
  readonly scopes?: readonly string[];
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly tenant?: string;
  readonly authenticator?: string;
}

export function identity({
  roles = [],
  scopes = [],
  claims = {},
  tenant,
  authenticator = "user",
}: Who): Identity {
  const principal = {
    id: "ann",
    roles,
    scopes,
    claims,
    authenticator,
    ...(tenant === undefined ? {} : { tenant }),
  };
  return {
    principal,
    authenticator,
    roles: new Set(roles),
    scopes: new Set(scopes),
    ambient: false,
    key: `${authenticator}:ann`,
  };
}

/** A request of somebody; `null` is anonymous. */
export function request(who: Who | null, options: StateOptions = {}): TestState {
  const params = Object.assign(Object.create(null) as Record<string, unknown>, { id: "1" });
  return stateFor({
    identity: who === null ? undefined : identity(who),
    params,
    body: { n: 1, s: "text" },
    ...options,
  });
}
