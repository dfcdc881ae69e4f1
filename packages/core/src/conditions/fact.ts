/** One fact as text: what the key of a limit is made from. */
import type { Report } from "../errors/diagnostics.js";
import { didYouMean } from "../errors/did-you-mean.js";
import type { RequestState } from "../model/state.js";
import type { CompiledFact, ConditionScope } from "./condition.js";
import { vocabularyOf } from "./roots.js";
import type { Access } from "./access.js";
import { memberOf, isObject } from "./values.js";
import type { CelType } from "./types.js";

const FORMS = [
  "client.ip",
  "principal.id",
  "principal.<field>",
  "route",
  "params.<name>",
  "headers.<name>",
  "body.<field>",
  "authenticator",
];

type ReadText = (state: RequestState) => string | undefined;

interface Reader {
  readonly needs: CompiledFact["needs"];
  readonly callerChosen: boolean;
  readonly read: ReadText;
}

/**
 * @param text `client.ip`, `principal.id`, `principal.tenant`, `route`, `params.id`, `headers.x-tenant`, `body.account.email`, `authenticator`
 * @param as `lowercase`: spellings that differ in case count as one
 * @returns undefined when something was reported
 */
export function compileFact(
  text: string,
  as: "lowercase" | undefined,
  scope: ConditionScope,
  pointer: string,
  report: Report,
): CompiledFact | undefined {
  const reader = readerOf(text, scope, (code, message, help) => {
    report.error(code, pointer, message, help);
    return undefined;
  });
  if (reader === undefined) return undefined;
  const { needs, callerChosen, read } = reader;
  return Object.freeze({ fact: text, needs, callerChosen, read: as === "lowercase" ? lowered(read) : read });
}

function lowered(read: ReadText): ReadText {
  return (state) => read(state)?.toLowerCase();
}

type Complain = (code: string, message: string, help?: string) => undefined;

function readerOf(text: string, scope: ConditionScope, complain: Complain): Reader | undefined {
  // Addresses count by their prefix, and ids together with the authenticator that vouches for them.
  if (text === "client.ip") return engineReader("connection", (state) => state.request.clientKey);
  if (text === "route") return engineReader("connection", (state) => state.route.key);
  const dot = text.indexOf(".");
  const root = dot < 0 ? text : text.slice(0, dot);
  const name = dot < 0 ? "" : text.slice(dot + 1);
  if ((root === "principal" || text === "authenticator") && scope.principal === "none") {
    return complain(
      "principal-on-open-route",
      `\`${text}\` is counted where nobody is known`,
      "name an authenticator on the route, or count by `client.ip`",
    );
  }
  if (text === "authenticator") return engineReader("principal", (state) => state.identity?.authenticator);
  if (text === "principal.id") return engineReader("principal", (state) => state.identity?.key);
  if (name !== "") {
    if (root === "principal") return principalReader(text, name, scope, complain);
    if (root === "params" || root === "headers") return namedReader(text, root, name, scope, complain);
    if (root === "body") return bodyReader(text, name.split("."), scope, complain);
  }
  return complain(
    "unknown-fact",
    `\`${text}\` is nothing to count by`,
    didYouMean(text, FORMS) ?? `there are ${FORMS.map((form) => `\`${form}\``).join(", ")}`,
  );
}

function engineReader(needs: CompiledFact["needs"], read: ReadText): Reader {
  return { needs, callerChosen: false, read };
}

/** Lists and objects are no key: only what an authenticator maps, and only while it is a scalar. */
function principalReader(
  text: string,
  name: string,
  scope: ConditionScope,
  complain: Complain,
): Reader | undefined {
  const access = name.includes(".") ? undefined : vocabularyOf(scope).roots.get("principal")?.access(name);
  if (access === undefined || access.type.kind !== "dyn") {
    return complain(
      "unknown-fact",
      `\`${text}\` is no field that the route's authenticators map to one value`,
      didYouMean(name, [...scope.principalFields, "id"]),
    );
  }
  return engineReader("principal", (state) => textOf(access.get(state)));
}

function namedReader(
  text: string,
  root: "params" | "headers",
  name: string,
  scope: ConditionScope,
  complain: Complain,
): Reader | undefined {
  if (root === "headers" && name !== name.toLowerCase()) {
    return complain(
      "unknown-fact",
      `\`${text}\` can never be read`,
      `header names are lower case here: \`${text.toLowerCase()}\``,
    );
  }
  const access = vocabularyOf(scope).roots.get(root)?.access(name);
  if (access === undefined) {
    return complain("unknown-fact", `the route has no \`${text}\``, didYouMean(name, scope.paramNames));
  }
  if (!isScalar(access.type))
    return complain(
      "unknown-fact",
      `\`${text}\` is not one value`,
      "give it a schema of type string, integer, number or boolean",
    );
  return { ...early(root, name, access, scope), callerChosen: true };
}

/** Text that no schema turns into another value is known before parameters are checked. */
function early(
  root: "params" | "headers",
  name: string,
  access: Access,
  scope: ConditionScope,
): Omit<Reader, "callerChosen"> {
  const schema = scope[root][name];
  const plain = access.type.kind === "string" && (typeof schema !== "object" || !("default" in schema));
  if (!plain) return { needs: access.needs, read: (state) => textOf(access.get(state)) };
  if (root === "headers") return { needs: "connection", read: (state) => state.request.headers.get(name) };
  return { needs: "connection", read: (state) => textOf(state.params[name]) };
}

function bodyReader(
  text: string,
  path: readonly string[],
  scope: ConditionScope,
  complain: Complain,
): Reader | undefined {
  const { body } = vocabularyOf(scope);
  if (body === undefined)
    return complain(
      "body-without-schema",
      `\`${text}\` is counted on a route that has no \`request.body\``,
      "write a schema for the body under `request`",
    );
  let type: CelType | undefined = body.type;
  for (const name of path) {
    if (type?.kind !== "record") type = undefined;
    else {
      const { fields }: { readonly fields: ReadonlyMap<string, CelType> } = type.record;
      if (!fields.has(name))
        return complain(
          "unknown-fact",
          `the body's schema has no \`${text}\``,
          didYouMean(name, fields.keys()),
        );
      type = fields.get(name);
    }
  }
  if (type === undefined || !isScalar(type)) {
    return complain(
      "unknown-fact",
      `the body's schema does not make \`${text}\` one value`,
      "give it type string, integer, number or boolean",
    );
  }
  return { needs: "body", callerChosen: true, read: (state) => textOf(at(body.get(state), path)) };
}

function at(value: unknown, path: readonly string[]): unknown {
  let found = value;
  for (const name of path) found = isObject(found) ? memberOf(found, name) : undefined;
  return found;
}

function isScalar({ kind }: CelType): boolean {
  return kind === "string" || kind === "int" || kind === "double" || kind === "bool";
}

function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}
