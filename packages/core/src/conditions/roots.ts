/** What the names in a condition stand for on one route: where each fact is read, its type, and from when on it is known. */
import type { JsonSchema } from "../model/policy.js";
import type { RequestState } from "../model/state.js";
import type { Availability, ConditionScope } from "./condition.js";
import { SchemaTypes } from "./schema-type.js";
import { BOOL, CLAIMS, DYN, STRING, STRINGS, TIMESTAMP } from "./types.js";
import type { CelType, RecordType } from "./types.js";
import { memberOf } from "./values.js";
import type { ReadSet } from "./values.js";

/** One fact of the request. */
export interface Access {
  readonly type: CelType;
  readonly needs: Availability;
  /** Undefined: absent. */
  readonly get: (state: RequestState) => unknown;
  /** The same as a set, where there is one. */
  readonly set?: ReadSet;
  /** Its value may stand in a trace. */
  readonly shown: boolean;
  /** The engine itself made the value: its type needs no second look. */
  readonly trusted: boolean;
}

export interface Root {
  readonly name: string;
  readonly record: RecordType;
  access(member: string): Access | undefined;
}

/** All roots but `body`, which is a value by itself. */
export interface Vocabulary {
  readonly scope: ConditionScope;
  readonly roots: ReadonlyMap<string, Root>;
  readonly body: Access | undefined;
  /** Every record type that can occur, for the library's type checker. */
  readonly records: readonly RecordType[];
}

const vocabularies = new WeakMap<ConditionScope, Vocabulary>();

export function vocabularyOf(scope: ConditionScope): Vocabulary {
  const known = vocabularies.get(scope);
  if (known !== undefined) return known;
  const types = new SchemaTypes(scope.schemas);
  const principal = principalRoot(scope);
  const roots = [
    requestRoot(),
    engineRoot("client", { ip: engineFact(STRING, "connection", (state) => state.request.clientIp) }),
    principal.root,
    valuesRoot("params", scope.params, types, PATH_PARAMS, scope.paramNames),
    valuesRoot("query", scope.query, types, QUERY),
    valuesRoot("headers", scope.headers, types, HEADERS),
    valuesRoot("cookies", scope.cookies, types, COOKIES),
  ];
  const vocabulary: Vocabulary = {
    scope,
    roots: new Map(roots.map((root) => [root.name, root])),
    body: scope.body === undefined ? undefined : bodyFact(scope.body, types),
    records: [...roots.map((root) => root.record), ...principal.inner, TLS, ...types.records],
  };
  vocabularies.set(scope, vocabulary);
  return vocabulary;
}

function engineFact(type: CelType, needs: Availability, get: Access["get"], set?: ReadSet): Access {
  return { type, needs, get, shown: true, trusted: true, ...(set === undefined ? {} : { set }) };
}

const TLS: RecordType = {
  name: "RequestTls",
  title: "request.tls",
  fields: new Map([["protocol", STRING]]),
  others: undefined,
};

function requestRoot(): Root {
  return engineRoot("request", {
    method: engineFact(STRING, "connection", (state) => state.request.method),
    scheme: engineFact(STRING, "connection", (state) => state.request.scheme),
    host: engineFact(STRING, "connection", (state) => state.request.host),
    path: engineFact(STRING, "connection", (state) => state.request.path),
    route: engineFact(STRING, "connection", (state) => state.route.key),
    time: engineFact(TIMESTAMP, "connection", (state) => Math.floor(state.now)),
    tls: engineFact({ kind: "record", record: TLS }, "connection", (state) => state.request.tls),
  });
}

function engineRoot(name: string, members: Readonly<Record<string, Access>>): Root {
  const known = new Map(Object.entries(members));
  const fields = new Map([...known].map(([member, access]) => [member, access.type]));
  return {
    name,
    record: { name: `Root_${name}`, title: name, fields, others: undefined },
    access: (member) => known.get(member),
  };
}

const NO_TEXTS: readonly string[] = [];

/** For an anonymous caller roles and scopes are empty, and every other field but `authenticated` is absent. */
const PRINCIPAL: ReadonlyMap<string, Access> = new Map([
  ["id", engineFact(STRING, "principal", (state) => state.identity?.principal.id)],
  ["authenticated", engineFact(BOOL, "principal", (state) => state.identity !== undefined)],
  ["authenticator", engineFact(STRING, "principal", (state) => state.identity?.authenticator)],
  [
    "roles",
    engineFact(
      STRINGS,
      "principal",
      (state) => state.identity?.principal.roles ?? NO_TEXTS,
      (state) => state.identity?.roles,
    ),
  ],
  [
    "scopes",
    engineFact(
      STRINGS,
      "principal",
      (state) => state.identity?.principal.scopes ?? NO_TEXTS,
      (state) => state.identity?.scopes,
    ),
  ],
  [
    "claims",
    {
      type: CLAIMS,
      needs: "principal",
      get: (state) => state.identity?.principal.claims,
      shown: false,
      trusted: true,
    },
  ],
]);

function principalRoot(scope: ConditionScope): {
  readonly root: Root;
  readonly inner: readonly RecordType[];
} {
  const companions = scope.companions ?? [];
  const inner = companionTypes(companions);
  const others = scope.anyPrincipalField === true ? DYN : undefined;
  const known = new Map(PRINCIPAL);
  if (companions.length > 0) {
    known.set("with", { ...attribute("with"), type: { kind: "record", record: inner.together } });
  }
  for (const field of scope.principalFields) if (!known.has(field)) known.set(field, attribute(field));
  const fields = new Map([...known].map(([member, access]) => [member, access.type]));
  const root: Root = {
    name: "principal",
    record: { name: "Root_principal", title: "principal", fields, others },
    access: (member) => known.get(member) ?? (others === undefined ? undefined : attribute(member)),
  };
  return { root, inner: [inner.together, inner.companion] };
}

/** What an authenticator maps: any JSON, so its type is only known while serving. */
function attribute(name: string): Access {
  return {
    type: DYN,
    needs: "principal",
    get: ({ identity }) => (identity === undefined ? undefined : memberOf(identity.principal, name)),
    shown: true,
    trusted: true,
  };
}

/** `principal.with.<name>`: principals of the other credentials where several had to pass together. */
function companionTypes(names: readonly string[]): {
  readonly together: RecordType;
  readonly companion: RecordType;
} {
  const fields = new Map<string, CelType>([
    ["id", STRING],
    ["roles", STRINGS],
    ["scopes", STRINGS],
    ["claims", CLAIMS],
    ["authenticator", STRING],
  ]);
  const companion: RecordType = { name: "Companion", title: "principal.with.<name>", fields, others: DYN };
  const type: CelType = { kind: "record", record: companion };
  return {
    companion,
    together: {
      name: "Companions",
      title: "principal.with",
      fields: new Map(names.map((name) => [name, type])),
      others: undefined,
    },
  };
}

/** Where a root of named values finds them: typed once the stage `parameters` has run, as sent before. */
interface Values {
  readonly typed: (state: RequestState, name: string) => unknown;
  readonly sent: (state: RequestState, name: string) => unknown;
  readonly sentNeeds: Availability;
  readonly shown: boolean;
}

const PATH_PARAMS: Values = {
  typed: (state, name) => state.params[name],
  sent: (state, name) => state.params[name],
  sentNeeds: "connection",
  shown: true,
};
// A query that cannot be read is refused by the stage `parameters`; before it the value would only seem absent.
const QUERY: Values = {
  typed: (state, name) => state.query[name],
  sent: (state, name) => state.queryParameters?.get(name),
  sentNeeds: "parameters",
  shown: false,
};
const HEADERS: Values = {
  typed: (state, name) => state.headers[name],
  sent: (state, name) => state.request.headers.get(name),
  sentNeeds: "connection",
  shown: false,
};
const COOKIES: Values = {
  typed: (state, name) => state.cookies[name],
  sent: (state, name) => state.cookieValues.get(name),
  sentNeeds: "connection",
  shown: false,
};

/** @param names the only names there are (path parameters); undefined: any name may be read, as a string where no schema stands */
function valuesRoot(
  root: string,
  schemas: Readonly<Record<string, JsonSchema>>,
  types: SchemaTypes,
  values: Values,
  names?: readonly string[],
): Root {
  const fields = new Map<string, CelType>((names ?? []).map((name) => [name, STRING]));
  for (const [name, schema] of Object.entries(schemas)) {
    if (names === undefined || names.includes(name))
      fields.set(name, types.typeOf(schema, `${root}.${name}`));
  }
  return {
    name: root,
    record: { name: `Root_${root}`, title: root, fields, others: names === undefined ? STRING : undefined },
    access: (member) => {
      const { typed, sent, sentNeeds, shown } = values;
      if (names !== undefined && !names.includes(member)) return undefined;
      if (Object.hasOwn(schemas, member)) {
        return {
          type: fields.get(member) ?? DYN,
          needs: "parameters",
          get: (state) => typed(state, member),
          shown,
          trusted: false,
        };
      }
      return { type: STRING, needs: sentNeeds, get: (state) => sent(state, member), shown, trusted: false };
    },
  };
}

function bodyFact(schema: JsonSchema, types: SchemaTypes): Access {
  return {
    type: types.typeOf(schema, "body"),
    needs: "body",
    get: (state) => state.body,
    shown: false,
    trusted: false,
  };
}
