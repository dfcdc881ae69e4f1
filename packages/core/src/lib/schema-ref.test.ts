import { describe, expect, it } from "vitest";
import { type SchemaPlace, resolveSchemaRef } from "./schema-ref.js";

const schemas = { A: { $defs: { x: { type: "string" } } }, ["__proto__"]: { never: true } };
const inline = { $defs: { "a/b": true, "c d": { y: 1 } } };
const here: SchemaPlace = { schema: inline, root: inline, name: undefined, pointer: "" };

describe("references of the language", () => {
  it.each([
    ["#", { schema: inline, root: inline, name: undefined, pointer: "" }],
    ["#/$defs/a~1b", { schema: true, root: inline, name: undefined, pointer: "/$defs/a~1b" }],
    ["#/$defs/c%20d/y", { schema: 1, root: inline, name: undefined, pointer: "/$defs/c d/y" }],
    ["#/schemas/A", { schema: schemas.A, root: schemas.A, name: "A", pointer: "" }],
    ["#/schemas/A/$defs/x", { schema: { type: "string" }, root: schemas.A, name: "A", pointer: "/$defs/x" }],
  ])("%s", (reference, place) => {
    expect(resolveSchemaRef(reference, here, schemas)).toEqual(place);
  });

  it("inside a document's schema `#` is that schema", () => {
    const inside = resolveSchemaRef("#/schemas/A", here, schemas);
    expect(inside && resolveSchemaRef("#/$defs/x", inside, schemas)?.schema).toEqual({ type: "string" });
  });

  it.each([
    "",
    "A",
    "#A",
    "#/nope",
    "#/schemas",
    "#/schemas/B",
    "#/schemas/toString",
    "#/schemas/A/toString",
    "#/%zz",
    "https://a.test/#",
    "other.json",
  ])("%j leads nowhere", (reference) => {
    expect(resolveSchemaRef(reference, here, schemas)).toBeUndefined();
  });
});
