/** Parameters: one schema for each name, as far as one text can be held to it. */
import { pointerTo } from "../lib/pointer.js";
import type { Items } from "./list.js";
import { CARRIERS, type Carrier, type Parameter } from "./model.js";
import { childPlace, type Documents, type Place } from "./references.js";
import { sourceOf, type Schema, type SchemaReader } from "./schema.js";
import { isObject, listOf, member, textOf } from "./source.js";

export interface ParameterContext {
  readonly documents: Documents;
  readonly schemas: SchemaReader;
  readonly items: Items;
  /** JSON Pointer of the route. */
  readonly at: string;
  /** Names of path parameters, as the policy has them. */
  readonly renamed: ReadonlyMap<string, string>;
}

const MEMBER: Readonly<Record<Carrier, string>> = {
  path: "params",
  query: "query",
  header: "headers",
  cookie: "cookies",
};
/** OpenAPI, "Parameter Object": descriptions of these are ignored. */
const IGNORED_HEADERS: ReadonlySet<string> = new Set(["accept", "content-type", "authorization"]);
const NAME = /^(?!(__proto__|constructor|prototype)$)[^\u0000-\u0020\u007F]{1,128}$/u;
const FIELD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/u;

/** @param lists the path's, then the operation's, which goes before */
export function readParameters(lists: readonly Place[], context: ParameterContext): readonly Parameter[] {
  const found = new Map<string, Parameter>();
  for (const list of lists)
    for (const [index] of listOf(list.value).entries()) {
      const place = context.documents.resolve(childPlace(list, index));
      for (const one of readParameter(place, context)) {
        const name = one.in === "header" ? one.name.toLowerCase() : one.name;
        found.set(`${one.in} ${name}`, one);
      }
    }
  return [...found.values()];
}

function readParameter(place: Place, context: ParameterContext): readonly Parameter[] {
  const written = textOf(member(place.value, "name")) ?? "";
  const carrier = CARRIERS.find((one) => one === member(place.value, "in"));
  const lose = (message: string): readonly Parameter[] => {
    context.items.add({ kind: "lost", code: "parameter", source: sourceOf(place), at: context.at, message });
    return [];
  };
  if (carrier === undefined)
    return lose(`the parameter \`${written}\` stands in no place that OpenAPI knows`);
  if (carrier === "header" && IGNORED_HEADERS.has(written.toLowerCase())) {
    context.items.add({
      kind: "note",
      code: "ignored-header",
      source: sourceOf(place),
      message: `OpenAPI ignores a description of the header \`${written}\``,
    });
    return [];
  }
  const name = carrier === "path" ? context.renamed.get(written) : written;
  if (name === undefined) return lose(`the path has no parameter \`${written}\``);
  if (!NAME.test(name) || (carrier === "header" && !FIELD.test(name)))
    return lose(
      `the parameter \`${written}\` has a name that the language does not take; a request that has it is refused where the query is closed`,
    );
  const at = pointerTo(context.at, "request", MEMBER[carrier], name);
  const required = carrier === "path" || member(place.value, "required") === true;
  const deep = carrier === "query" ? deepMembers(place, context, name, required) : undefined;
  if (deep !== undefined) return deep;
  return [{ name, in: carrier, required, schema: schemaOf(place, carrier, at, context) }];
}

/** `filter[name]=x` is a parameter of its own in the language, for each member. */
function deepMembers(
  place: Place,
  { documents, schemas, at }: ParameterContext,
  name: string,
  required: boolean,
): readonly Parameter[] | undefined {
  if (member(place.value, "style") !== "deepObject") return undefined;
  const schema = documents.resolve(childPlace(place, "schema"));
  const properties = childPlace(schema, "properties");
  if (!isObject(properties.value)) return undefined;
  const wanted = listOf(member(schema.value, "required"));
  return Object.keys(properties.value)
    .filter((key) => NAME.test(`${name}[${key}]`))
    .map((key) => ({
      name: `${name}[${key}]`,
      in: "query" as const,
      required: required && wanted.includes(key),
      schema: schemas.read(
        childPlace(properties, key),
        "in",
        pointerTo(at, "request", "query", `${name}[${key}]`),
      ),
    }));
}

function schemaOf(place: Place, carrier: Carrier, at: string, context: ParameterContext): Schema | undefined {
  const anyText = (message: string): Schema => {
    context.items.add({ kind: "lost", code: "parameter-form", source: sourceOf(place), at, message });
    return { type: "string" };
  };
  if (isObject(member(place.value, "content")))
    return anyText("a parameter that holds a document of its own is taken as one text, unread");
  const schema = childPlace(place, "schema");
  if (schema.value === undefined) return undefined;
  const types = typesOf(context.documents.resolve(schema).value);
  if (types.includes("object")) return anyText("a parameter that is an object is taken as one text, unread");
  if (types.includes("array") && !isPlainList(place, carrier))
    return anyText(
      "a list in one text is taken as that text: only a query parameter that is repeated is a list",
    );
  return context.schemas.read(schema, "in", at);
}

function isPlainList({ value }: Place, carrier: Carrier): boolean {
  return (
    carrier === "query" && (member(value, "style") ?? "form") === "form" && member(value, "explode") !== false
  );
}

function typesOf(schema: unknown): readonly unknown[] {
  const type = member(schema, "type");
  if (type !== undefined) return Array.isArray(type) ? type : [type];
  if (isObject(member(schema, "properties"))) return ["object"];
  return member(schema, "items") === undefined ? [] : ["array"];
}
