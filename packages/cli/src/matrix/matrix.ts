/** Who may call what: every route for every kind of caller, asked of the engine. */
import { checkPolicy, PolicyError, type PolicyDocument } from "@gatehouse/core";
import { policyKit, PolicyTestError, type PolicyKit, type TestCredential } from "@gatehouse/core/testing";
import { routesOf, type RouteView } from "../lib/routes.js";
import { anyCredential, credentialWith } from "./credential.js";
import { symbolicPolicy, type Switch } from "./symbolic.js";

export type Cell =
  | { readonly outcome: "allow" }
  | { readonly outcome: "refuse"; readonly status: number; readonly code: string }
  /** Allowed where one of `conditions` holds, else refused so. */
  | {
      readonly outcome: "conditional";
      readonly conditions: readonly string[];
      readonly status: number;
      readonly code: string;
    }
  /** Let through because the route only observes; enforced, it would be `would`. */
  | { readonly outcome: "observe"; readonly would: Exclude<Cell, { readonly outcome: "observe" | "varies" }> }
  /** No credential of the route can make such a caller. */
  | { readonly outcome: "none" }
  /** Another outcome for another authenticator. */
  | {
      readonly outcome: "varies";
      readonly by: readonly { readonly authenticator: string; readonly cell: Cell }[];
    };

export interface MatrixRow {
  /** Key of the route, or one of its methods and its path where they differ. */
  readonly route: string;
  /** One for each of the matrix's callers. */
  readonly cells: readonly Cell[];
}

export interface Matrix {
  readonly policy: string;
  /** `anonymous`, `no role`, and every declared role. */
  readonly callers: readonly string[];
  readonly rows: readonly MatrixRow[];
}

export interface MatrixOptions {
  /** Path of the policy's file. */
  readonly file?: string | undefined;
}

/**
 * Each cell is what the engine decides for requests that are good in every other respect: over HTTPS, from the API's own origin, with
 * fitting input, within all limits. A condition that reads more than the caller's roles is not evaluated but stated: the engine is asked
 * both ways.
 * @throws PolicyError (rejects) for a policy that cannot be served
 */
export async function matrix(policy: PolicyDocument, { file }: MatrixOptions = {}): Promise<Matrix> {
  const problems = checkPolicy(policy).filter(({ severity }) => severity === "error");
  if (problems.length > 0) throw new PolicyError(problems);
  const { document, switches } = symbolicPolicy(policy, file);
  const kit = await policyKit(document);
  try {
    const callers: readonly (readonly string[] | undefined)[] = [
      undefined,
      [],
      ...Object.keys(policy.roles ?? {}).map((role) => [role]),
    ];
    const rows: MatrixRow[] = [];
    for (const view of routesOf(policy))
      rows.push(...(await rowsOf(view, callers, kit, switches.get(view.key) ?? [])));
    return {
      policy: policy.name,
      callers: ["anonymous", "no role", ...Object.keys(policy.roles ?? {})],
      rows,
    };
  } finally {
    await kit.close();
  }
}

type Roles = readonly string[] | undefined;

async function rowsOf(
  view: RouteView,
  callers: readonly Roles[],
  kit: PolicyKit,
  switches: readonly Switch[],
): Promise<MatrixRow[]> {
  const methods = view.methods.length > 1 ? view.methods.filter((method) => method !== "HEAD") : view.methods;
  const byMethod: { readonly method: string; readonly cells: readonly Cell[] }[] = [];
  for (const method of methods) {
    const cells: Cell[] = [];
    for (const roles of callers) cells.push(await cellOf({ view, method, kit, switches }, roles));
    byMethod.push({ method, cells });
  }
  const [first] = byMethod;
  if (first === undefined) return [];
  if (byMethod.every(({ cells }) => same(cells, first.cells)))
    return [{ route: view.key, cells: first.cells }];
  return byMethod.map(({ method, cells }) => ({ route: `${method} ${view.path}`, cells }));
}

interface Place {
  readonly view: RouteView;
  readonly method: string;
  readonly kit: PolicyKit;
  readonly switches: readonly Switch[];
}

async function cellOf(place: Place, roles: Roles): Promise<Cell> {
  const { authenticators } = place.view;
  if (roles === undefined || authenticators.length === 0) return decide(place, undefined);
  const by: { readonly authenticator: string; readonly cell: Cell }[] = [];
  for (const names of authenticators) {
    by.push({ authenticator: names.join(" and "), cell: await decide(place, { names, roles }) });
  }
  const possible = by.filter(({ cell }) => cell.outcome !== "none");
  const [first] = possible;
  if (first === undefined) return { outcome: "none" };
  return possible.every(({ cell }) => same(cell, first.cell)) ? first.cell : { outcome: "varies", by };
}

/** Somebody with a credential of each of these authenticators. */
interface Caller {
  readonly names: readonly string[];
  readonly roles: readonly string[];
}

/** More switches than this are not tried in every combination. */
const MOST_SWITCHES = 8;

interface Verdict {
  readonly admitted: boolean;
  readonly observed: boolean;
  readonly status: number;
  readonly code: string;
}

async function decide(place: Place, caller: Caller | undefined): Promise<Cell> {
  const { switches } = place;
  const none = await verdictOf(place, caller, new Set());
  if (none === undefined) return { outcome: "none" };
  // Scopes that no credential of the route can bring are scopes that nobody has.
  const all = switches.length === 0 ? none : ((await verdictOf(place, caller, new Set(switches))) ?? none);
  const cell = await cellBetween(place, caller, none, all);
  return none.observed || all.observed ? { outcome: "observe", would: cell } : cell;
}

/** What holds more can only be let in more: so the two ends tell whether anything in between has to be asked. */
async function cellBetween(
  place: Place,
  caller: Caller | undefined,
  none: Verdict,
  all: Verdict,
): Promise<Exclude<Cell, { readonly outcome: "observe" | "varies" }>> {
  if (none.admitted) return { outcome: "allow" };
  if (!all.admitted) return { outcome: "refuse", status: all.status, code: all.code };
  const conditions = await leastConditions(place, caller);
  return { outcome: "conditional", conditions, status: none.status, code: none.code };
}

/** The smallest sets of switches that let the caller in. */
async function leastConditions(place: Place, caller: Caller | undefined): Promise<readonly string[]> {
  const { switches } = place;
  if (switches.length > MOST_SWITCHES) return [`${switches.length} conditions; see ${place.view.pointer}`];
  const found: (readonly Switch[])[] = [];
  for (const subset of subsetsBySize(switches)) {
    if (found.some((smaller) => smaller.every((one) => subset.includes(one)))) continue;
    if ((await verdictOf(place, caller, new Set(subset)))?.admitted === true) found.push(subset);
  }
  return found.map((subset) => subset.map(({ text }) => text).join(" and "));
}

function subsetsBySize<T>(items: readonly T[]): readonly (readonly T[])[] {
  const subsets = Array.from({ length: 2 ** items.length }, (_, bits) =>
    items.filter((_item, index) => (bits >> index) % 2 === 1),
  );
  return subsets.sort((a, b) => a.length - b.length);
}

/** Undefined: there can be no such caller. */
async function verdictOf(
  { view, method, kit, switches }: Place,
  caller: Caller | undefined,
  holding: ReadonlySet<Switch>,
): Promise<Verdict | undefined> {
  const sent = switches.filter((one) => one.kind === "header" && holding.has(one) !== one.inverted);
  // As a page of the API's own sends it: whether another site may is not who may call.
  const headers = {
    "Sec-Fetch-Site": "same-origin",
    ...Object.fromEntries(sent.map(({ name }) => [name, "1"])),
  };
  const scopes = [...holding].filter(({ kind }) => kind === "scope").map(({ name }) => name);
  const asking = askerFor(kit, view, caller, scopes);
  if (asking === undefined) return undefined;
  kit.reset();
  for (const filler of FILLERS) {
    const result = await asking.request({ method, target: targetOf(view.path, filler), headers });
    if (result.route !== view.key) continue;
    const { decision } = result;
    if (decision.outcome === "admit") {
      const [observed] = decision.observed ?? [];
      if (observed === undefined) return { admitted: true, observed: false, status: 200, code: "" };
      return { admitted: false, observed: true, status: observed.status, code: observed.code };
    }
    return {
      admitted: false,
      observed: false,
      status: result.status,
      code: decision.outcome === "refuse" ? decision.code : "",
    };
  }
  throw new Error(`no path leads to ${view.key}`);
}

/** Undefined where the policy can make no such principal of anybody. */
function askerFor(
  kit: PolicyKit,
  { document }: RouteView,
  caller: Caller | undefined,
  scopes: readonly string[],
): PolicyKit["anonymous"] | undefined {
  if (caller === undefined) return kit.anonymous;
  const rights = { roles: caller.roles, scopes };
  const credentials: Record<string, TestCredential> = {};
  for (const [index, name] of caller.names.entries()) {
    const settings = document.authenticators?.[name];
    // The last of several is the principal.
    const make = index === caller.names.length - 1 ? credentialWith : anyCredential;
    const credential = settings && make(settings, rights);
    if (credential === undefined) return undefined;
    credentials[name] = credential;
  }
  try {
    return kit.as({ credentials });
  } catch (error) {
    if (error instanceof PolicyTestError) return undefined;
    throw error;
  }
}

/** A value for parameters that no sibling route spells out. */
const FILLERS = ["any", "x-any-1", "zz-none-of-these"];

function targetOf(path: string, filler: string): string {
  const segments = path
    .split("/")
    .map((segment) => (segment.startsWith(":") || segment === "*" ? filler : encodeURIComponent(segment)));
  return segments.join("/");
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
