import { describe, expect, it } from "vitest";
import type { JsonSchema } from "../model/policy.js";
import { SchemaTypes } from "./schema-type.js";
import { guardOf, typeName } from "./types.js";

const schemas: Readonly<Record<string, JsonSchema>> = {
  Id: { type: "string" },
  Loop: { $ref: "#/schemas/Loop" },
  Lists: { type: "array", items: { $ref: "#/schemas/Lists" } },
  Maps: { type: "object", additionalProperties: { $ref: "#/schemas/Maps" } },
  Both: { type: "array", items: { type: "object", additionalProperties: { $ref: "#/schemas/Both" } } },
  Nodes: { type: "array", items: { type: "object", properties: { next: { $ref: "#/schemas/Nodes" } } } },
  Inner: { $ref: "#/$defs/n", $defs: { n: { type: "integer" } } },
};

function named(schema: unknown): string {
  return typeName(new SchemaTypes(schemas).typeOf(schema, "body"));
}

describe("types of schemas", () => {
  it.each<readonly [unknown, string]>([
    [{ type: "string" }, "string"],
    [{ type: "integer" }, "int"],
    [{ type: "number" }, "double"],
    [{ type: "boolean" }, "bool"],
    [{ type: "null" }, "null"],
    [{ type: ["string", "null"] }, "dyn"],
    [{ oneOf: [{ type: "string" }] }, "dyn"],
    [true, "dyn"],
    [{}, "dyn"],
    [{ enum: ["a", "b"] }, "string"],
    [{ enum: [1, 2] }, "int"],
    [{ enum: [1, 2.5] }, "double"],
    [{ enum: ["a", 1] }, "dyn"],
    [{ const: true }, "bool"],
    [{ type: "array" }, "list<dyn>"],
    [{ type: "array", items: { type: "array", items: { type: "integer" } } }, "list<list<int>>"],
    [{ type: "array", prefixItems: [{ type: "string" }], items: { type: "string" } }, "list<dyn>"],
    [{ type: "object" }, "map<string, dyn>"],
    [{ type: "object", additionalProperties: { type: "number" } }, "map<string, double>"],
    [{ type: "object", properties: { a: true } }, "body"],
    [{ $ref: "#/schemas/Id", description: "annotations say nothing of the type" }, "string"],
    [{ $ref: "#/schemas/Inner" }, "int"],
    [{ $ref: "#/$defs/x", $defs: { x: { type: "boolean" } } }, "bool"],
    [{ type: "array", items: { $ref: "#/$defs/x" }, $defs: { x: { type: "boolean" } } }, "list<bool>"],
    [{ $ref: "#/schemas/Id", minLength: 3 }, "dyn"],
    [{ $ref: "#/schemas/Nothing" }, "dyn"],
    [{ $ref: "#/schemas/Loop" }, "dyn"],
    [{ $ref: "#/schemas/Lists" }, "list<list<dyn>>"],
    [{ $ref: "#/schemas/Maps" }, "map<string, map<string, dyn>>"],
    [{ $ref: "#/schemas/Both" }, "list<map<string, list<dyn>>>"],
    [{ $ref: "#/schemas/Nodes" }, "list<body[]>"],
  ])("%j is %s", (schema, expected) => {
    expect(named(schema)).toBe(expected);
  });

  it("knows which objects have undeclared members", () => {
    const others = (schema: object): boolean => {
      const type = new SchemaTypes({}).typeOf(
        { type: "object", properties: { a: { type: "string" } }, ...schema },
        "body",
      );
      return type.kind === "record" && type.record.others !== undefined;
    };
    expect([
      others({}),
      others({ additionalProperties: false }),
      others({ additionalProperties: true }),
    ]).toEqual([false, false, true]);
    expect([others({ patternProperties: {} }), others({ allOf: [] })]).toEqual([true, true]);
  });

  it("gives a list within an object of that list its items", () => {
    const type = new SchemaTypes(schemas).typeOf({ $ref: "#/schemas/Nodes" }, "body");
    const item = type.kind === "list" ? type.of : undefined;
    expect(item?.kind === "record" && item.record.fields.get("next")).toEqual({ kind: "list", of: item });
  });

  it("guards ints, and nothing whose type is open", () => {
    const int = guardOf({ kind: "int" });
    expect([1, -0, 1.5, 2 ** 53, "1", null].map((value) => int?.(value))).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
    expect(guardOf({ kind: "dyn" })).toBe(undefined);
  });
});
