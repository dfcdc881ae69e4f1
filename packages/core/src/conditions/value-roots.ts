/** `params`, `query`, `headers` and `cookies`: named values, typed where a schema stands, text where none does. */
import type { JsonSchema } from "../model/policy.js";
import type { RequestState } from "../model/state.js";
import type { Root } from "./access.js";
import type { Availability } from "./condition.js";
import type { SchemaTypes } from "./schema-type.js";
import { DYN, STRING } from "./types.js";
import type { CelType } from "./types.js";

/** Where a root of named values finds them: typed once the stage `parameters` has run, as sent before. */
interface Values {
  readonly typed: (state: RequestState, name: string) => unknown;
  readonly sent: (state: RequestState, name: string) => unknown;
  readonly sentNeeds: Availability;
  readonly shown: boolean;
}

export const PATH_PARAMS: Values = {
  typed: (state, name) => state.params[name],
  sent: (state, name) => state.params[name],
  sentNeeds: "connection",
  shown: true,
};
// A query that cannot be read is refused by the stage `parameters`; before it the value would only seem absent.
export const QUERY: Values = {
  typed: (state, name) => state.query[name],
  sent: (state, name) => state.queryParameters?.get(name),
  sentNeeds: "parameters",
  shown: false,
};
export const HEADERS: Values = {
  typed: (state, name) => state.headers[name],
  sent: (state, name) => state.request.headers.get(name),
  sentNeeds: "connection",
  shown: false,
};
export const COOKIES: Values = {
  typed: (state, name) => state.cookies[name],
  sent: (state, name) => state.sentCookies.values.get(name),
  sentNeeds: "connection",
  shown: false,
};

/** @param names the only names there are (path parameters); undefined: any name may be read, as a string where no schema stands */
export function valuesRoot(
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
    record: { title: root, fields, others: names === undefined ? STRING : undefined },
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
