/**
 * What an error body consists of, as the author set it: shapers write it, and the bodies of the application's own errors
 * leave only as far as it goes.
 */
import { ERRORS } from "../errors/codes.js";
import type { JsonSchema } from "./policy.js";
import type { ResolvedErrors } from "./resolved.js";

const TEXT: JsonSchema = { type: ["string", "null"] };
const PROBLEMS: JsonSchema = {
  type: "array",
  items: { type: "object", properties: { pointer: TEXT, rule: TEXT, message: TEXT } },
};

type Codes = Readonly<Record<string, { readonly status: number }>>;
const CODES: Codes = ERRORS;

/** Members of the standard shape (RFC 9457 section 3), in the order in which they are written. */
function standardMembers(errors: ResolvedErrors): readonly string[] {
  const told = errors.expose === "code";
  const members = ["type", "title", "status"];
  if (told) members.push("detail", "instance", "code");
  if (errors.correlation !== undefined) members.push("correlation");
  if (told) members.push("errors");
  return members;
}

/**
 * Schema of all that an error body of this status may hold: of the author's templates that can go out with it, else of the
 * standard shape. Text of templates stands for any scalar; what they nest may nest.
 */
export function errorBodySchema(errors: ResolvedErrors, status: number): JsonSchema {
  const templates = templatesFor(errors, status);
  return templates.length === 0 ? standardSchema(errors) : schemaOf(templates.map(shapeOf).reduce(union));
}

/** The template of a status, and those of the codes that have it. */
function templatesFor(errors: ResolvedErrors, status: number): readonly unknown[] {
  const templates: unknown[] = [];
  for (const [key, template] of Object.entries(errors.bodies?.value ?? {})) {
    const own = Object.hasOwn(CODES, key) ? CODES[key]?.status : Number(key);
    if (own === status) templates.push(template);
  }
  return templates;
}

function standardSchema(errors: ResolvedErrors): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  for (const member of standardMembers(errors)) properties[member] = TEXT;
  properties["status"] = { type: ["integer", "null"] };
  if (errors.expose === "code") properties["errors"] = PROBLEMS;
  return { type: "object", properties };
}

/** What one or several templates may hold at one place. */
interface Shape {
  readonly types: ReadonlySet<string>;
  readonly properties: ReadonlyMap<string, Shape>;
  readonly items: Shape | undefined;
}

const NO_PROPERTIES: ReadonlyMap<string, Shape> = new Map();
const SCALAR: Shape = {
  types: new Set(["string", "number", "boolean", "null"]),
  properties: NO_PROPERTIES,
  items: undefined,
};

function shapeOf(template: unknown): Shape {
  if (Array.isArray(template)) {
    const items = template.length === 0 ? SCALAR : template.map(shapeOf).reduce(union);
    return { types: new Set(["array"]), properties: NO_PROPERTIES, items };
  }
  if (typeof template !== "object" || template === null) return SCALAR;
  const properties = new Map(Object.entries(template).map(([name, value]) => [name, shapeOf(value)]));
  return { types: new Set(["object"]), properties, items: undefined };
}

function union(a: Shape, b: Shape): Shape {
  const properties = new Map(a.properties);
  for (const [name, shape] of b.properties) {
    const known = properties.get(name);
    properties.set(name, known === undefined ? shape : union(known, shape));
  }
  const items =
    a.items === undefined || b.items === undefined ? (a.items ?? b.items) : union(a.items, b.items);
  return { types: new Set([...a.types, ...b.types]), properties, items };
}

function schemaOf({ types, properties, items }: Shape): JsonSchema {
  const schemas = Object.create(null) as Record<string, JsonSchema>;
  for (const [name, shape] of properties) schemas[name] = schemaOf(shape);
  return {
    type: [...types],
    ...(types.has("object") ? { properties: schemas } : {}),
    ...(items === undefined ? {} : { items: schemaOf(items) }),
  };
}
