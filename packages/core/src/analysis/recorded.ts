/** Conditions of a policy, asked about a request of which only a record is left. */
import { compileCondition, scopeOf, type PartialTruth } from "../conditions/index.js";
import { Report } from "../errors/diagnostics.js";
import type { CompiledRoute } from "../model/compiled.js";
import type { Identity, Principal } from "../model/principal.js";
import type { NormalizedRequest } from "../model/request.js";
import type { ResolvedPolicy, ResolvedRoute } from "../model/resolved.js";
import type { RequestState } from "../model/state.js";

/** What is known of a request. */
export interface KnownFacts {
  readonly method: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Null: anonymous. Undefined: nobody knows who called. */
  readonly principal: KnownPrincipal | null | undefined;
  /** By the names that conditions use. */
  readonly facts: ReadonlyMap<string, unknown>;
  readonly absent: ReadonlySet<string>;
}

export interface KnownPrincipal {
  readonly authenticator: string;
  /** Undefined: not told, as the next two. */
  readonly id: string | undefined;
  readonly roles: readonly string[] | undefined;
  readonly scopes: readonly string[] | undefined;
}

/** `unknown`: it reads what was not recorded. `error`: it could not have been evaluated. */
export type RecordedCondition = (known: KnownFacts) => PartialTruth;

/** Undefined for what is no condition; the checks of the policy have told why. */
export function conditionOn(
  policy: ResolvedPolicy,
  route: ResolvedRoute,
  text: string,
): RecordedCondition | undefined {
  const condition = compileCondition(text, scopeOf(policy, route), "", new Report());
  if (condition === undefined) return undefined;
  return (known) => condition.partial(stateOf(route, known), (fact) => isKnown(fact, known));
}

const OF_EVERY_REQUEST: ReadonlySet<string> = new Set(["request.method", "request.route", "request.time"]);

function isKnown(fact: string, { principal, facts, absent }: KnownFacts): boolean {
  if (OF_EVERY_REQUEST.has(fact) || facts.has(fact) || absent.has(fact)) return true;
  if (!fact.startsWith("principal.")) return false;
  if (principal === null) return true;
  if (principal === undefined) return false;
  switch (fact) {
    case "principal.authenticated":
    case "principal.authenticator":
      return true;
    case "principal.id":
      return principal.id !== undefined;
    case "principal.roles":
      return principal.roles !== undefined;
    case "principal.scopes":
      return principal.scopes !== undefined;
    default:
      return false;
  }
}

/** As much of a request as conditions read; what is unknown is never looked at. */
function stateOf(route: ResolvedRoute, known: KnownFacts): RequestState {
  const { facts } = known;
  const values = (root: string): Record<string, unknown> => namedBelow(root, facts);
  const text = (name: string): string | undefined => {
    const value = facts.get(name);
    return typeof value === "string" ? value : undefined;
  };
  const headers = values("headers");
  const request: Partial<NormalizedRequest> = {
    method: known.method,
    scheme: text("request.scheme") === "http" ? "http" : "https",
    host: text("request.host") ?? "",
    path: text("request.path") ?? "",
    clientIp: text("client.ip"),
    headers: new Map(Object.entries(headers).map(([name, value]) => [name, String(value)])),
  };
  const query = values("query");
  const cookies = values("cookies");
  const state = {
    request,
    route: { key: route.key } as CompiledRoute,
    now: known.time,
    identity: identityOf(known),
    params: values("params"),
    query,
    queryParameters: new Map(Object.entries(query)),
    headers,
    cookies,
    sentCookies: { values: new Map(Object.entries(cookies)), repeated: new Set() },
    body: nestedBelow("body", facts),
  };
  return state as unknown as RequestState;
}

function identityOf({ principal, facts }: KnownFacts): Identity | undefined {
  if (principal === null || principal === undefined) return undefined;
  const { authenticator, id = "", roles = [], scopes = [] } = principal;
  const fields = nestedBelow("principal", facts);
  const made = { claims: {}, ...fields, id, roles, scopes, authenticator } as unknown as Principal;
  return {
    principal: made,
    authenticator,
    roles: new Set(roles),
    scopes: new Set(scopes),
    ambient: false,
    key: "",
  };
}

function namedBelow(root: string, facts: ReadonlyMap<string, unknown>): Record<string, unknown> {
  const found = Object.create(null) as Record<string, unknown>;
  for (const [fact, value] of facts)
    if (fact.startsWith(`${root}.`)) found[fact.slice(root.length + 1)] = value;
  return found;
}

function nestedBelow(root: string, facts: ReadonlyMap<string, unknown>): Record<string, unknown> {
  const found = Object.create(null) as Record<string, unknown>;
  for (const [fact, value] of facts) {
    if (!fact.startsWith(`${root}.`)) continue;
    const path = fact.slice(root.length + 1).split(".");
    const last = path.pop() ?? "";
    let inner = found;
    for (const name of path) {
      const next = inner[name];
      const held = isRecord(next) ? next : (Object.create(null) as Record<string, unknown>);
      inner[name] = held;
      inner = held;
    }
    inner[last] = value;
  }
  return found;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
