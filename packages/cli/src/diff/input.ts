/** What may come in: whether whatever the one side lets through to the handler, the other does too. */
import type { JsonSchema, ResolvedRequest } from "@gatehouse/core/analysis";
import { alike, subset } from "./canonical.js";
import { all, notShown, SHOWN, shownIf, type Proof, type Side } from "./model.js";
import { rulesOf, schemaWithin, spelledOut, type SchemaWorld } from "./schemas.js";

type Part = "params" | "query" | "headers" | "cookies";
type Schemas = Readonly<Record<string, JsonSchema>>;

export function requestWithin(inner: Side, outer: Side): Proof {
  const a = inner.route.request;
  const b = outer.route.request;
  return all(
    parametersWithin("params", byPlace(inner), byPlace(outer), inner, outer),
    parametersWithin("query", a.query?.value, b.query?.value, inner, outer),
    parametersWithin("headers", a.headers?.value, b.headers?.value, inner, outer),
    parametersWithin("cookies", a.cookies?.value, b.cookies?.value, inner, outer),
    unknownQueryWithin(a, b),
    guardsWithin(a, b),
    bodyWithin(inner, outer),
  );
}

/** Problems name the rules that were broken. */
export function problemsAlike(a: Side, b: Side): Proof {
  const rules = (side: Side): unknown => {
    const { query, headers, cookies, body } = side.route.request;
    const parts = [byPlace(side), query?.value, headers?.value, cookies?.value, { body: body?.value }];
    const world = worldOf(side);
    return parts.map((part) =>
      Object.fromEntries(Object.entries(part ?? {}).map(([name, schema]) => [name, rulesOf(schema, world)])),
    );
  };
  return shownIf(alike(rules(a), rules(b)), "the rules for requests are written otherwise");
}

/** Path parameters by their place, since a name decides nothing. */
function byPlace({ route: { pattern, request } }: Side): Schemas {
  const schemas: Record<string, JsonSchema> = {};
  for (const [at, part] of pattern.entries()) {
    const schema = part.kind === "param" ? request.params?.value[part.name] : undefined;
    if (schema !== undefined) schemas[`${at}`] = schema;
  }
  return schemas;
}

function parametersWithin(
  part: Part,
  a: Schemas | undefined,
  b: Schemas | undefined,
  inner: Side,
  outer: Side,
): Proof {
  const names = new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})]);
  return all(
    ...[...names].map((name) => parameterWithin(`${part}.${name}`, a?.[name], b?.[name], inner, outer, part)),
  );
}

function parameterWithin(
  name: string,
  a: JsonSchema | undefined,
  b: JsonSchema | undefined,
  inner: Side,
  outer: Side,
  part: Part,
): Proof {
  const x = worldOf(inner);
  const y = worldOf(outer);
  if (a !== undefined && b !== undefined && spelledOut(a, x) === spelledOut(b, y)) return SHOWN;
  // Without a schema any one text passes, and a query that has a map knows only what that names.
  if (part === "query" && (a === undefined) !== (b === undefined))
    return undeclared(name, a, b, inner, outer);
  const narrow = a ?? { type: "string" };
  const wide = b ?? { type: "string" };
  const needed = shownIf(
    part === "params" || isRequired(narrow) || !isRequired(wide),
    `${name} may be missing`,
  );
  const fallback = shownIf(
    alike(member(narrow, "default"), member(wide, "default")),
    `${name}: another default is handed to the handler`,
  );
  const types = shownIf(
    alike(member(narrow, "type"), member(wide, "type")) || isPlainText(wide),
    `${name}: texts are read as another type`,
  );
  return all(
    needed,
    fallback,
    types,
    isPlainText(wide) && !isList(narrow) ? SHOWN : schemaWithin(bare(narrow), x, bare(wide), y),
  );
}

function undeclared(
  name: string,
  a: JsonSchema | undefined,
  b: JsonSchema | undefined,
  inner: Side,
  outer: Side,
): Proof {
  if (b === undefined) {
    const known = outer.route.request.query === undefined || outer.route.request.unknown !== "reject";
    const single = shownIf(a === undefined || !isList(a), `${name} may be repeated`);
    // What the handler reads of it is another matter where a map stands.
    const same = shownIf(a === undefined || member(a, "default") === undefined, `${name} has a default`);
    return all(shownIf(known, `${name} is known`), single, same);
  }
  const refused = inner.route.request.query !== undefined && inner.route.request.unknown === "reject";
  return shownIf(refused && !isRequired(b) && member(b, "default") === undefined, `${name} has a schema`);
}

function unknownQueryWithin(a: ResolvedRequest, b: ResolvedRequest): Proof {
  if (b.query === undefined) return SHOWN;
  const rank = { reject: 0, strip: 1, allow: 2 };
  if (a.query === undefined)
    return shownIf(b.unknown === "allow", "query parameters that nothing names pass");
  return shownIf(rank[a.unknown] <= rank[b.unknown], "more becomes of query parameters that nothing names");
}

function guardsWithin(a: ResolvedRequest, b: ResolvedRequest): Proof {
  const switched = (Object.keys(a.sniff) as (keyof ResolvedRequest["sniff"])[]).find(
    (guard) => !a.sniff[guard] && b.sniff[guard],
  );
  return all(
    shownIf(switched === undefined, `the guard \`${switched ?? ""}\` is off`),
    shownIf(
      a.operators === "refuse" || b.operators === "allow",
      "keys that databases read as operators pass",
    ),
  );
}

const WITH_BODY: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

function bodyWithin(inner: Side, outer: Side): Proof {
  const a = inner.route.request;
  const b = outer.route.request;
  return all(
    shownIf(typesWithin(a.types.value, b.types.value), "more media types are accepted"),
    shownIf(a.maxBody <= b.maxBody, `bodies of up to ${a.maxBody} bytes are accepted`),
    shapeWithin(inner, outer),
    sanitizedWithin(inner, outer),
  );
}

function shapeWithin(inner: Side, outer: Side): Proof {
  const a = inner.route.request;
  const b = outer.route.request;
  if (b.body === undefined) {
    const streams = outer.route.methods.every((method) => WITH_BODY.has(method));
    return shownIf(
      streams || (a.body === undefined && alike(inner.route.methods, outer.route.methods)),
      "a body is read, where none may come",
    );
  }
  if (a.body === undefined) return notShown("bodies are not read, so nothing of them is refused");
  return all(
    shownIf(!a.bodyOptional || b.bodyOptional, "no body needs to come"),
    shownIf(a.maxDepth <= b.maxDepth, "deeper bodies are accepted"),
    schemaWithin(a.body.value, worldOf(inner), b.body.value, worldOf(outer)),
    unknownMembersWithin(inner, outer),
  );
}

/** Only where the same schema stands can what is cut be compared. */
function unknownMembersWithin(inner: Side, outer: Side): Proof {
  const a = inner.route.request;
  const b = outer.route.request;
  if (a.unknown === "reject" || b.unknown === "allow") return SHOWN;
  if (a.unknown === "allow") return notShown("members that no schema names reach the handler");
  return shownIf(
    b.unknown === "strip" &&
      spelledOut(a.body?.value, worldOf(inner)) === spelledOut(b.body?.value, worldOf(outer)),
    "other members are cut",
  );
}

/** What is cleaned on the way in: fewer pointers let more through. */
function sanitizedWithin(inner: Side, outer: Side): Proof {
  const a = inner.route.request.sanitize?.value ?? {};
  const b = outer.route.request.sanitize?.value ?? {};
  const profiles = alike(
    inner.analysed.policy.document.sanitizing,
    outer.analysed.policy.document.sanitizing,
  );
  if (Object.keys(b).length === 0 || (alike(a, b) && profiles)) return SHOWN;
  return notShown("texts of the body are cleaned otherwise, or not at all");
}

/** `+json` stands for every type with that suffix. */
function typesWithin(inner: readonly string[], outer: readonly string[]): boolean {
  return subset(
    inner.filter((type) => !(outer.includes("+json") && type.endsWith("+json"))),
    outer,
  );
}

export function worldOf({ analysed: { policy }, route }: Side): SchemaWorld {
  return { schemas: policy.schemas, unknown: route.request.unknown };
}

function member(schema: JsonSchema, key: string): unknown {
  return typeof schema === "object" ? (schema as Readonly<Record<string, unknown>>)[key] : undefined;
}

function isRequired(schema: JsonSchema): boolean {
  return member(schema, "required") === true;
}

function isList(schema: JsonSchema): boolean {
  return (
    typeof schema !== "object" || member(schema, "type") === "array" || member(schema, "type") === undefined
  );
}

/** Every text is one. */
function isPlainText(schema: JsonSchema): boolean {
  if (schema === true) return false;
  const keys = typeof schema === "object" ? Object.keys(schema) : [];
  return (
    member(schema, "type") === "string" && keys.every((key) => ["type", "title", "description"].includes(key))
  );
}

/** Without our own word `required`, which is no keyword there. */
function bare(schema: JsonSchema): unknown {
  if (typeof schema !== "object") return schema;
  const { required: _ours, ...rest } = schema as Readonly<Record<string, unknown>>;
  return rest;
}
