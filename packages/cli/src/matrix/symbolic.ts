/**
 * A policy in which all that depends on more than who calls is a switch: a header that a request carries or not. So the engine itself
 * can be asked for every case, and nobody has to guess values that make a condition true.
 */
import { parsePolicy, type PolicyDocument } from "@gatehouse/core";
import { routesOf, type AuthorizeEntry, type RouteView } from "../lib/routes.js";

/** Something that may hold or not, whoever calls. */
export interface Switch {
  /** A scope that the caller may have, or a header that stands for all else. */
  readonly kind: "scope" | "header";
  readonly name: string;
  /** What must hold, in words. */
  readonly text: string;
  /** True: the header says that it does not hold (`forbid`). */
  readonly inverted: boolean;
}

export interface SymbolicPolicy {
  readonly document: PolicyDocument;
  /** By key of the route. */
  readonly switches: ReadonlyMap<string, readonly Switch[]>;
}

type Demand = PolicyDocument["routes"][string]["authorize"];

/** Limits, input and answers are left out: they say how much and what, not who. */
export function symbolicPolicy(policy: PolicyDocument, file: string | undefined): SymbolicPolicy {
  const maker = new Maker();
  const groups = Object.entries(policy.groups ?? {}).map(([prefix, settings]) => {
    const { require, ...rest } = access(settings);
    const made = require === undefined ? undefined : maker.demand(require);
    return {
      prefix,
      settings: { ...rest, ...(made === undefined ? {} : { require: made.value }) },
      switches: made?.switches ?? [],
    };
  });
  const defaults = access(policy.defaults ?? {});
  const inherited = maker.demand(defaults.authorize);
  const switches = new Map<string, readonly Switch[]>();
  const routes = routesOf(policy).map((view) => {
    const { authorize, ...rest } = access(view.settings);
    const own = maker.demand(authorize);
    const used = usedBy(view, { groups, inherited: inherited.switches, own: own.switches });
    switches.set(view.key, used);
    return [view.key, { ...rest, ...(authorize === undefined ? {} : { authorize: own.value }) }] as const;
  });
  const {
    limits: _limits,
    global: _global,
    store: _store,
    shed: _shed,
    schemas: _schemas,
    redaction: _redaction,
    headers: _headers,
    ...kept
  } = policy;
  const document = {
    ...kept,
    ...(policy.defaults === undefined
      ? {}
      : {
          defaults: {
            ...defaults,
            ...(defaults.authorize === undefined ? {} : { authorize: inherited.value }),
          },
        }),
    ...(policy.groups === undefined
      ? {}
      : { groups: Object.fromEntries(groups.map(({ prefix, settings }) => [prefix, settings])) as object }),
    routes: Object.fromEntries(routes) as object,
  };
  return { document: parsePolicy(JSON.stringify(document), file), switches };
}

/** Which of the switches a route asks at all. */
function usedBy(
  view: RouteView,
  made: {
    readonly groups: readonly { readonly prefix: string; readonly switches: readonly Switch[] }[];
    readonly inherited: readonly Switch[];
    readonly own: readonly Switch[];
  },
): readonly Switch[] {
  const pointers = new Set(view.demands.map(({ pointer }) => pointer));
  const grouped = made.groups.flatMap(({ prefix, switches }) =>
    pointers.has(groupPointer(prefix)) ? switches : [],
  );
  const all = [...grouped, ...(pointers.has("/defaults/authorize") ? made.inherited : []), ...made.own];
  // Several entries may ask for one scope.
  return [...new Map(all.map((one) => [`${one.kind} ${one.name}`, one])).values()];
}

function groupPointer(prefix: string): string {
  return `/groups/${prefix.replaceAll("~", "~0").replaceAll("/", "~1")}/require`;
}

type NoAccess = "request" | "response" | "limits" | "headers" | "shed";
const NO_ACCESS: readonly string[] = [
  "request",
  "response",
  "limits",
  "headers",
  "shed",
] satisfies readonly NoAccess[];

/** Settings that say who may call. */
function access<T extends object>(settings: T): Omit<T, NoAccess> {
  const kept = Object.entries(settings).filter(([key]) => !NO_ACCESS.includes(key));
  return Object.fromEntries(kept) as Omit<T, NoAccess>;
}

class Maker {
  #made = 0;

  demand<T extends Demand>(value: T): { readonly value: unknown; readonly switches: readonly Switch[] } {
    if (value === undefined || typeof value === "string") return { value, switches: [] };
    const entries = ([value] as readonly (AuthorizeEntry | readonly AuthorizeEntry[])[]).flat();
    const made = entries.map((entry) => this.entry(entry));
    const values = made.map((one) => one.entry);
    return {
      value: Array.isArray(value) ? values : values[0],
      switches: made.flatMap((one) => one.switches),
    };
  }

  private entry({ roles, scopes, claims, when, forbid, check, stepUp }: AuthorizeEntry): {
    readonly entry: AuthorizeEntry;
    readonly switches: readonly Switch[];
  } {
    const kept: string[] = [];
    const open: string[] = [];
    for (const [path, wanted] of Object.entries(claims ?? {}))
      open.push(`claim ${quoted(path)} = ${JSON.stringify(wanted)}`);
    if (stepUp?.acr !== undefined) open.push(`\`acr\` of ${stepUp.acr.map(quoted).join(" or ")}`);
    if (stepUp?.maxAge !== undefined) open.push(`a login at most ${stepUp.maxAge} ago`);
    if (when !== undefined)
      (isAboutCallerAlone(when) ? kept : open).push(isAboutCallerAlone(when) ? `(${when})` : quoted(when));
    if (check !== undefined) open.push(...[check].flat().map((name) => `check ${quoted(name)}`));
    const switches: Switch[] = (scopes ?? []).map((name) => ({
      kind: "scope",
      name,
      text: `scope ${quoted(name)}`,
      inverted: false,
    }));
    if (open.length > 0) {
      const one = this.switch(open.join(" and "), false);
      switches.push(one);
      kept.push(`${JSON.stringify(one.name)} in headers`);
    }
    const forbidden =
      forbid === undefined || isAboutCallerAlone(forbid)
        ? undefined
        : this.switch(`not ${quoted(forbid)}`, true);
    if (forbidden !== undefined) switches.push(forbidden);
    return {
      entry: {
        ...(roles === undefined ? {} : { roles }),
        ...(scopes === undefined ? {} : { scopes }),
        ...(kept.length === 0 ? {} : { when: kept.join(" && ") }),
        ...(forbid === undefined
          ? {}
          : { forbid: forbidden === undefined ? forbid : `${JSON.stringify(forbidden.name)} in headers` }),
      },
      switches,
    };
  }

  private switch(text: string, inverted: boolean): Switch {
    this.#made += 1;
    return { kind: "header", name: `x-gatehouse-matrix-${this.#made}`, text, inverted };
  }
}

/** In a code span, whatever it holds. */
function quoted(text: string): string {
  const line = text.replaceAll(/\s+/gu, " ").trim();
  return line.includes("`") ? `\`\` ${line} \`\`` : `\`${line}\``;
}

const ABOUT_CALLER = new Set([
  "principal.roles",
  "principal.authenticated",
  "principal.authenticator",
  "request.method",
  "request.route",
]);

/** Whether a condition reads nothing but roles and the route: then each column of the matrix decides it. */
function isAboutCallerAlone(condition: string): boolean {
  const code = condition.replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/gu, "''");
  const reads = code.matchAll(
    /\b(?:principal|request|client|params|query|headers|cookies|body)\b(?:\s*\.\s*\w+|\s*\[)?/gu,
  );
  return Array.from(reads, ([text]) => text.replaceAll(/\s/gu, "")).every((text) => ABOUT_CALLER.has(text));
}
