/** What the names in a condition stand for on one route. */
import type { JsonSchema } from "../model/policy.js";
import { engineFact } from "./access.js";
import type { Access, Root } from "./access.js";
import type { ConditionScope } from "./condition.js";
import { principalRoot } from "./principal-root.js";
import { SchemaTypes } from "./schema-type.js";
import { STRING, STRINGS, TIMESTAMP } from "./types.js";
import type { CelType, RecordType } from "./types.js";
import { COOKIES, HEADERS, PATH_PARAMS, QUERY, valuesRoot } from "./value-roots.js";

/** All roots but `body`, which is a value by itself. */
export interface Vocabulary {
  readonly scope: ConditionScope;
  readonly roots: ReadonlyMap<string, Root>;
  readonly body: Access | undefined;
}

const vocabularies = new WeakMap<ConditionScope, Vocabulary>();

export function vocabularyOf(scope: ConditionScope): Vocabulary {
  const known = vocabularies.get(scope);
  if (known !== undefined) return known;
  const types = new SchemaTypes(scope.schemas);
  const roots = [
    requestRoot(),
    engineRoot("client", { ip: engineFact(STRING, "connection", (state) => state.request.clientIp) }),
    principalRoot(scope),
    valuesRoot("params", scope.params, types, PATH_PARAMS, scope.paramNames),
    valuesRoot("query", scope.query, types, QUERY),
    valuesRoot("headers", scope.headers, types, HEADERS),
    valuesRoot("cookies", scope.cookies, types, COOKIES),
  ];
  const vocabulary: Vocabulary = {
    scope,
    roots: new Map(roots.map((root) => [root.name, root])),
    body: scope.body === undefined ? undefined : bodyFact(scope.body, types),
  };
  vocabularies.set(scope, vocabulary);
  return vocabulary;
}

const CLIENT_CERTIFICATE: RecordType = {
  title: "request.tls.clientCertificate",
  fields: new Map([
    ["subject", STRING],
    ["subjectAltNames", STRINGS],
    ["fingerprint256", STRING],
    ["validFrom", TIMESTAMP],
    ["validTo", TIMESTAMP],
  ]),
  others: undefined,
};

const TLS: RecordType = {
  title: "request.tls",
  fields: new Map<string, CelType>([
    ["protocol", STRING],
    ["cipher", STRING],
    ["clientCertificate", { kind: "record", record: CLIENT_CERTIFICATE }],
  ]),
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
    record: { title: name, fields, others: undefined },
    access: (member) => known.get(member),
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
