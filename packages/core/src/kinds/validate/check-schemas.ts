/** Looks through the schemas that requests meet, for what is costly or could never be sent. */
import type { Report } from "../../errors/diagnostics.js";
import { pointerTo } from "../../lib/pointer.js";
import { type SchemaPlace, resolveSchemaRef } from "../../lib/schema-ref.js";
import { SchemaSpot } from "../../lib/schema-spot.js";
import type { JsonSchema } from "../../model/policy.js";
import type { CheckedPolicy, ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";
import { type JsonGuards, refusedName } from "../../normalize/json-guards.js";
import type { Once } from "./check.js";
import { isObject } from "./parameter-shape.js";
import { guardsOf } from "./parameters.js";

const SCHEMAS: readonly string[] = [
  "additionalProperties",
  "contains",
  "else",
  "if",
  "items",
  "not",
  "propertyNames",
  "then",
  "unevaluatedItems",
  "unevaluatedProperties",
];
/** Of lists of schemas, and of schemas by name. */
const HOLDERS: readonly string[] = [
  "allOf",
  "anyOf",
  "oneOf",
  "prefixItems",
  "$defs",
  "dependentSchemas",
  "patternProperties",
  "properties",
];

export function checkSchemas(policy: CheckedPolicy, report: Report, once: Once): void {
  for (const route of policy.routes) {
    for (const { schema, pointer } of schemasOf(route)) {
      if (policy.plainSchemas?.has(schema) === true) continue;
      const place: SchemaPlace = { schema, root: schema, name: undefined, pointer: "" };
      new SchemaWalk(policy, guardsOf(route), report, once).visit(SchemaSpot.at(place, pointer));
    }
  }
}

interface PlacedSchema {
  readonly schema: JsonSchema;
  readonly pointer: string;
}

function schemasOf({ request }: ResolvedRoute): PlacedSchema[] {
  const found: PlacedSchema[] = [];
  if (request.body !== undefined) found.push({ schema: request.body.value, pointer: request.body.pointer });
  if (request.query !== undefined) {
    for (const [name, schema] of Object.entries(request.query.value)) {
      found.push({ schema, pointer: pointerTo(request.query.pointer, name) });
    }
  }
  return found;
}

class SchemaWalk {
  readonly #seen = new Set<unknown>();

  constructor(
    private readonly policy: ResolvedPolicy,
    private readonly guards: JsonGuards,
    private readonly report: Report,
    private readonly once: Once,
  ) {}

  visit(spot: SchemaSpot): void {
    const { schema } = spot;
    if (!isObject(schema) || this.#seen.has(schema)) return;
    this.#seen.add(schema);
    this.inspect(schema, spot);
    if (typeof schema["$ref"] === "string") {
      const target = resolveSchemaRef(schema["$ref"], spot.place, this.policy.schemas);
      if (target !== undefined) this.visit(spot.leadingTo(target));
    }
    for (const keyword of SCHEMAS) this.enter(spot, schema[keyword], keyword);
    for (const keyword of HOLDERS) {
      const below = schema[keyword];
      if (typeof below !== "object" || below === null) continue;
      for (const [name, member] of Object.entries(below)) this.enter(spot, member, keyword, name);
    }
  }

  private enter(spot: SchemaSpot, schema: unknown, ...steps: readonly string[]): void {
    if (isObject(schema)) this.visit(spot.below(schema, ...steps));
  }

  private inspect(schema: Readonly<Record<string, unknown>>, spot: SchemaSpot): void {
    if (schema["uniqueItems"] === true && schema["maxItems"] === undefined) {
      const pointer = spot.pointer();
      this.once("unbounded-unique-items", pointer, (code) =>
        this.report.warn(
          code,
          pointer,
          "`uniqueItems` compares the items of a list whose length is the caller's choice",
          "write `maxItems` beside it",
        ),
      );
    }
    const { properties } = schema;
    for (const name of Object.keys(isObject(properties) ? properties : {})) {
      const rule = refusedName(name, this.guards);
      if (rule !== undefined) this.tellGuarded(name, rule, spot.pointer("properties", name));
    }
  }

  /** A warning, not an error: the schema may also describe answers, where no guard stands. */
  private tellGuarded(name: string, rule: string, pointer: string): void {
    this.once("guarded-name", pointer, (code) =>
      this.report.warn(
        code,
        pointer,
        `the member \`${name}\` is always refused in a request, by the guard \`${rule}\``,
        rule === "operator-key" ? 'write `"operators": "allow"` where it is sent' : "rename it",
      ),
    );
  }
}
