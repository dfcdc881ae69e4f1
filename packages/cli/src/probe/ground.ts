/** What questions are made of: for each route requests that it admits, and requests that it only just refuses. */
import fc from "fast-check";
import type { PolicyDocument } from "@gatehouse/core";
import type { ResolvedPolicy, ResolvedRoute } from "@gatehouse/core/analysis";
import {
  arbitrariesFor,
  type GeneratedRequest,
  type PolicyArbitraries,
} from "@gatehouse/core/testing/properties";
import type { TestPerson, TestRequest } from "@gatehouse/core/testing";
import { inquire, type Inquirer } from "./inquiry.js";
import { isImpossible } from "./judge.js";
import { signersOf } from "./proofs/askers.js";
import { withHeaders, type Asker } from "./question.js";

/** A request that is admitted, together with who makes it. */
export interface Base {
  readonly by: Asker | undefined;
  readonly request: TestRequest;
}

export interface RouteGround {
  readonly route: ResolvedRoute;
  /** Those that can be sent come first. */
  readonly bases: readonly Base[];
  readonly misses: readonly GeneratedRequest[];
}

export interface Ground extends Inquirer {
  readonly document: PolicyDocument;
  readonly policy: ResolvedPolicy;
  readonly routes: readonly RouteGround[];
  /** Fields of every request, by name. */
  readonly fields: Readonly<Record<string, string>>;
  readonly authority: string;
  /** Whether this machine is a proxy that the policy believes. */
  readonly proxied: boolean;
  readonly complete: (request: TestRequest) => TestRequest;
}

export interface GroundParts extends Inquirer {
  readonly document: PolicyDocument;
  readonly policy: ResolvedPolicy;
  readonly params: Readonly<Record<string, string>>;
  /** Keys of the routes that are asked about; undefined: all. */
  readonly only: readonly string[] | undefined;
  readonly complete: (request: TestRequest) => TestRequest;
}

/** The same requests for the same policy. */
const SEED = 1;
const SAMPLES = 24;
const MISSES = 100;
/** More people of one route show nothing new. */
const MOST_BASES = 4;

export async function groundFor(parts: GroundParts): Promise<readonly RouteGround[]> {
  const routes: RouteGround[] = [];
  const made = arbitrariesFor(parts.document, fc);
  for (const route of parts.policy.routes) {
    if (parts.only?.includes(route.key) === false) continue;
    const samples = sampled(made.requests, route.key, SAMPLES).map((one) => placed(one, route, parts));
    const misses = sampled(made.nearMisses, route.key, MISSES).map((one) =>
      one.fault?.startsWith("params.") === true ? one : placed(one, route, parts),
    );
    const bases = await basesFor(route, samples, misses, parts);
    routes.push({ route, bases, misses: onePerFault(misses) });
  }
  return routes;
}

function sampled(
  make: PolicyArbitraries["requests"],
  key: string,
  numRuns: number,
): readonly GeneratedRequest[] {
  try {
    return fc.sample(make(key), { numRuns, seed: SEED });
  } catch (error) {
    // Nothing of the kind can be made for the route.
    if (error instanceof TypeError) return [];
    throw error;
  }
}

function onePerFault(misses: readonly GeneratedRequest[]): readonly GeneratedRequest[] {
  const seen = new Map<string, GeneratedRequest>();
  for (const miss of misses) {
    const authenticator = miss.as?.authenticator ?? "";
    const key = `${miss.fault ?? ""} ${authenticator} ${miss.request.method ?? ""}`;
    if (!seen.has(key)) seen.set(key, miss);
  }
  return [...seen.values()];
}

/** With parameters that lead to something that exists. */
function placed(
  generated: GeneratedRequest,
  { pattern }: ResolvedRoute,
  { params }: GroundParts,
): GeneratedRequest {
  const { request } = generated;
  const target = withParams(request.target, pattern, params);
  return { ...generated, request: { ...request, target } };
}

export function withParams(
  target: string,
  pattern: ResolvedRoute["pattern"],
  params: Readonly<Record<string, unknown>>,
): string {
  const [path = "", ...query] = target.split("?");
  const segments = path.split("/").slice(1);
  for (const [index, part] of pattern.entries()) {
    const value = part.kind === "param" && Object.hasOwn(params, part.name) ? params[part.name] : undefined;
    if (typeof value === "string" && value !== "") segments[index] = encodeURIComponent(value);
  }
  return [`/${segments.join("/")}`, ...query].join("?");
}

/** One for each kind of caller, as far as the engine admits them. */
async function basesFor(
  route: ResolvedRoute,
  samples: readonly GeneratedRequest[],
  misses: readonly GeneratedRequest[],
  parts: GroundParts,
): Promise<readonly Base[]> {
  const found = new Map<string, Base>();
  for (const { as, request } of samples) {
    const kind = `${JSON.stringify([as?.authenticator, as?.roles, Object.keys(as?.credentials ?? {})])} ${request.method ?? ""}`;
    if (found.has(kind)) continue;
    const by = as === undefined ? undefined : askerOf(as);
    if (await isAdmitted({ by, request }, parts)) found.set(kind, { by, request });
  }
  // Where nobody can be made whom the route admits, what nobody asks for is what its callers would.
  const asked = [...samples, ...misses.filter(({ fault }) => fault === "no credential")];
  for (const [holder, { person }] of parts.keyring.holders) {
    const by: Asker = { name: holder, person, genuine: true, holder };
    const own = await admittedFor(by, route, asked, parts);
    if (own !== undefined) found.set(`holder ${holder}`, own);
  }
  for (const by of signersOf(route, parts)) {
    if (found.has(`signer ${by.name}`)) continue;
    const own = await admittedFor(by, route, asked, parts);
    if (own !== undefined) found.set(`signer ${by.name}`, own);
  }
  const sendable = (base: Base): number =>
    base.by !== undefined && parts.keyring.lacking(base.by.person, base.by.holder) !== undefined ? 1 : 0;
  return [...found.values()].sort((a, b) => sendable(a) - sendable(b)).slice(0, MOST_BASES);
}

async function admittedFor(
  by: Asker,
  { pattern }: ResolvedRoute,
  samples: readonly GeneratedRequest[],
  parts: GroundParts,
): Promise<Base | undefined> {
  for (const { request } of samples) {
    // A tenant is often both in the path and of the caller.
    const target = withParams(request.target, pattern, { ...by.person.attributes, ...parts.params });
    const base = { by, request: { ...request, target } };
    if (await isAdmitted(base, parts)) return base;
  }
  return undefined;
}

function askerOf(person: TestPerson): Asker {
  const names = person.credentials === undefined ? [person.authenticator] : Object.keys(person.credentials);
  const roles = person.roles === undefined ? "" : `, ${person.roles.join(" and ")}`;
  return { name: `somebody by ${names.join(" and ")}${roles}`, person, genuine: true };
}

async function isAdmitted({ by, request }: Base, parts: GroundParts): Promise<boolean> {
  try {
    const [first] = (await inquire(parts, { by, request: parts.complete(request) })).expected;
    return first?.outcome === "admit";
  } catch (error) {
    if (isImpossible(error)) return false;
    throw error;
  }
}

/** With what every request of this probe has. */
export function completer(
  fields: Readonly<Record<string, string>>,
  facts: { readonly host: string; readonly https: boolean; readonly ip: string },
): (request: TestRequest) => TestRequest {
  return (request) => {
    const { host, ...rest } = request;
    const named = { Host: host ?? facts.host, ...fields };
    const own = withHeaders({ ...rest, headers: named }, rest.headers);
    return { https: facts.https, ip: facts.ip, ...own };
  };
}
