/** Stage `parameters`: params, query, headers and cookies become typed, or the request is refused with every problem. */
import type { Stage } from "../../model/compiled.js";
import type { InputProblem, Refusal } from "../../model/outcome.js";
import type { JsonSchema } from "../../model/policy.js";
import type { Placed, ResolvedRoute } from "../../model/resolved.js";
import type { RequestState } from "../../model/state.js";
import { type JsonGuards, refusedQueryName, refusedText } from "../../normalize/json-guards.js";
import type { Parameter } from "./parameter.js";
import { Problems, placeOf, refusalWith } from "./problems.js";

type Values = Record<string, unknown>;
type Schemas = Placed<Readonly<Record<string, JsonSchema>>> | undefined;

/** Undefined: the part has no map and stays as it is. */
export interface ParameterMaps {
  readonly params: readonly Parameter[] | undefined;
  readonly query: readonly Parameter[] | undefined;
  readonly headers: readonly Parameter[] | undefined;
  readonly cookies: readonly Parameter[] | undefined;
}

/** Always there: also without maps a malformed query and a repeated parameter are refused. */
export function parametersStage(route: ResolvedRoute, maps: ParameterMaps): Stage {
  const query = compileQuery(route, maps.query);
  const { request } = route;
  const at = firstPlace([request.params, request.query, request.headers, request.cookies]) ?? route.pointer;
  const untyped = Object.values(maps).every((map) => map === undefined);
  const malformed: Refusal = {
    kind: "refusal",
    code: "malformed-query",
    reason: "the query has an invalid percent-encoding, is not UTF-8, or has too many parameters",
    rule: request.query?.pointer ?? route.pointer,
  };
  return {
    at: "parameters",
    rule: at,
    run: (state) => {
      if (untyped && state.request.queryText === "") return undefined;
      const problems = new Problems();
      const params = maps.params && readAll(maps.params, own(state.params), state.params, problems);
      const typedQuery = query(state, problems);
      if (typedQuery === "malformed") return malformed;
      const headers =
        maps.headers && readAll(maps.headers, inMap(state.request.headers), state.headers, problems);
      const cookies =
        maps.cookies && readAll(maps.cookies, inMap(state.sentCookies.values), state.cookies, problems);
      if (problems.list.length > 0) {
        const rule = ruleOf(problems.list, route);
        return refusalWith("invalid-parameters", "the parameters do not fit", rule, problems.list);
      }
      if (params !== undefined) state.params = params;
      if (typedQuery !== undefined) state.query = typedQuery;
      if (headers !== undefined) state.headers = headers;
      if (cookies !== undefined) state.cookies = cookies;
      return undefined;
    },
  };
}

function firstPlace(maps: readonly Schemas[]): string | undefined {
  return maps.find((placed) => placed !== undefined)?.pointer;
}

const PARTS = ["params", "query", "headers", "cookies"] as const;

/** The map of the part in which the first problem lies; a part may be refused without a map of its own. */
function ruleOf([first]: readonly InputProblem[], { request, pointer }: ResolvedRoute): string {
  const part = PARTS.find((name) => first?.pointer.startsWith(`/${name}/`) === true);
  return (part === undefined ? undefined : request[part]?.pointer) ?? pointer;
}

type Lookup = (name: string) => string | readonly string[] | undefined;

/** Names without a schema keep their text. */
function readAll(parameters: readonly Parameter[], lookup: Lookup, sent: Values, problems: Problems): Values {
  const values = emptyValues();
  for (const name in sent) values[name] = sent[name];
  readInto(values, parameters, lookup, problems);
  return values;
}

function readInto(
  values: Values,
  parameters: readonly Parameter[],
  lookup: Lookup,
  problems: Problems,
): void {
  for (const parameter of parameters) {
    const value = parameter.read(lookup(parameter.name), problems);
    if (value !== undefined) values[parameter.name] = value;
  }
}

/** Names are the caller's: no prototype may answer for them, and `__proto__` is a name. */
function emptyValues(): Values {
  return Object.create(null) as Values;
}

function own(values: Values): Lookup {
  return (name) => {
    const value = values[name];
    return typeof value === "string" ? value : undefined;
  };
}

function inMap(values: ReadonlyMap<string, string>): Lookup {
  return (name) => values.get(name);
}

type QueryReader = (state: RequestState, problems: Problems) => Values | "malformed" | undefined;

function compileQuery(route: ResolvedRoute, parameters: readonly Parameter[] | undefined): QueryReader {
  const { unknown } = route.request;
  const declared = new Map(parameters?.map((parameter) => [parameter.name, parameter]));
  const credentials = credentialNames(route);
  const guards = guardsOf(route);
  const nothing: Lookup = () => undefined;

  return (state, problems) => {
    if (state.request.queryText === "") {
      if (parameters === undefined) return undefined;
      const values = emptyValues();
      readInto(values, parameters, nothing, problems);
      return values;
    }
    const sent = state.queryParameters;
    if (sent === undefined) return "malformed";
    const values = emptyValues();
    const encoded = state.request.queryText.includes("%");
    for (const [name, value] of sent) {
      inspect(name, value, encoded, problems);
      if (unknown === "allow" && !credentials.has(name)) values[name] = value;
    }
    if (parameters === undefined) return undefined;
    readInto(values, parameters, (name) => sent.get(name), problems);
    return values;
  };

  function inspect(
    name: string,
    value: string | readonly string[],
    encoded: boolean,
    problems: Problems,
  ): void {
    const guarded = refusedQueryName(name, guards) ?? (encoded ? refusedText(name, guards) : undefined);
    if (guarded !== undefined)
      return problems.add(placeOf("query", name), guarded, "has a name that is never accepted");
    const parameter = declared.get(name);
    if (typeof value !== "string" && parameter?.list !== true) {
      return problems.add(placeOf("query", name), "repeated", "stands more than once");
    }
    if (
      parameter === undefined &&
      parameters !== undefined &&
      unknown === "reject" &&
      !credentials.has(name)
    ) {
      return problems.add(placeOf("query", name), "unknown", "is not known here");
    }
    const text = encoded ? guardedText(value, guards) : undefined;
    if (text !== undefined)
      problems.add(placeOf("query", name), text, "holds a character that is never accepted");
  }
}

function guardedText(value: string | readonly string[], guards: JsonGuards): string | undefined {
  if (typeof value === "string") return refusedText(value, guards);
  for (const item of value) {
    const rule = refusedText(item, guards);
    if (rule !== undefined) return rule;
  }
  return undefined;
}

/** Credentials in the query are known to their authenticator; a handler that reads a `query` map has no use for them. */
function credentialNames(route: ResolvedRoute): ReadonlySet<string> {
  const authenticators = route.authenticate.anyOf.flat();
  return new Set(
    authenticators.filter(({ carrier }) => carrier.in === "query").map(({ carrier }) => carrier.name),
  );
}

/** The guards of a body hold for the query where they can apply: its names and texts come from the same callers. */
export function guardsOf({ request }: ResolvedRoute): JsonGuards {
  return {
    maxDepth: request.maxDepth,
    prototypeKeys: request.sniff.prototypeKeys,
    controlCharacters: request.sniff.controlCharacters,
    loneSurrogates: request.sniff.loneSurrogates,
    duplicateKeys: request.sniff.duplicateKeys,
    operatorKeys: request.operators === "refuse",
  };
}
