/** A schema that the first look found plain is not looked through again: whoever did would find nothing. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Diagnostic, Report } from "../errors/diagnostics.js";
import { checkValidate } from "../kinds/validate/check.js";
import type { JsonSchema, PolicyDocument } from "../model/policy.js";
import type { CheckedPolicy } from "../model/resolved.js";
import { checkSchemas } from "./check-schemas.js";
import { resolveLeniently } from "./resolve.js";
import { CycleCheck } from "./schema-cycles.js";

const NAMES = fc.constantFrom("a", "b", "$x", "a.b", "constructor", "__typename", "$ref");
const REFERENCES = fc.constantFrom("#", "#/schemas/A", "#/schemas/B", "#/default", "#/properties/a");

const { schema } = fc.letrec<{ schema: JsonSchema }>((tie) => {
  const inner = tie("schema");
  const list = fc.array(inner, { minLength: 1, maxLength: 2 });
  const map = fc.dictionary(NAMES, inner, { maxKeys: 2 });
  const data = fc.oneof(fc.constant(1), fc.record({ $ref: REFERENCES }));
  const by: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
    $ref: REFERENCES,
    allOf: list,
    default: data,
    enum: fc.array(data, { minLength: 1, maxLength: 2 }),
    items: inner,
    maxItems: fc.nat(9),
    minItems: fc.nat(9),
    not: inner,
    patternProperties: fc.dictionary(fc.constantFrom("a", "^.$", "("), inner, { maxKeys: 1 }),
    properties: map,
    $defs: map,
    required: fc.uniqueArray(NAMES, { maxLength: 2 }),
    uniqueItems: fc.boolean(),
    unheardOf: data,
  };
  const keyword = fc
    .constantFrom(...Object.entries(by))
    .chain(([name, of]) => fc.tuple(fc.constant(name), of));
  const written = fc
    .array(keyword, { maxLength: 3 })
    .map((entries): JsonSchema => Object.fromEntries(entries));
  const plain = { arbitrary: fc.boolean(), weight: 1 };
  return { schema: fc.oneof({ maxDepth: 3 }, plain, { arbitrary: written, weight: 4 }) };
});

const documentOf = (
  schemas: Record<string, JsonSchema>,
  body: JsonSchema,
  q: JsonSchema,
): PolicyDocument => ({
  gatehouse: 1,
  name: "t",
  schemas,
  defaults: { authenticate: "none" },
  routes: {
    "POST /a": { request: { body, query: { q } } },
    "POST /b": { request: { body, operators: "allow" } },
  },
});

function told(check: (report: Report) => void): readonly Diagnostic[] {
  const report = new Report();
  check(report);
  return report.diagnostics;
}

describe("schemas that were found plain", () => {
  it("the checks of requests tell the same with and without that finding, and none leads in a circle", () => {
    const seen = { plain: 0, warned: 0 };
    const documents = fc.record({ schemas: fc.record({ A: schema, B: schema }), body: schema, q: schema });
    fc.assert(
      fc.property(documents, ({ schemas, body, q }) => {
        const document = documentOf(schemas, body, q);
        const plainSchemas = checkSchemas(document, new Report());
        const policy: CheckedPolicy = resolveLeniently(document, new Report());
        const without = told((report) => checkValidate(policy, report));
        expect(told((report) => checkValidate({ ...policy, plainSchemas }, report))).toEqual(without);
        for (const one of plainSchemas)
          expect(told((report) => new CycleCheck(schemas, report).check(one, "", undefined))).toEqual([]);
        if (plainSchemas.has(body)) seen.plain += 1;
        if (without.length > 0) seen.warned += 1;
      }),
      { numRuns: 500 },
    );
    // The generator would prove nothing otherwise.
    expect(seen.plain).toBeGreaterThan(50);
    expect(seen.warned).toBeGreaterThan(50);
  });

  it("are those without a reference, a guarded name, a list compared without bound, and without a fault", () => {
    const plainIn = (body: JsonSchema): boolean =>
      checkSchemas(documentOf({}, body, true), new Report()).has(body);
    const bounded: JsonSchema = { uniqueItems: true, maxItems: 9 };
    expect([{}, bounded, { properties: { a: { items: bounded } }, enum: [{ a: 1 }] }].map(plainIn)).toEqual([
      true,
      true,
      true,
    ]);
    const others: JsonSchema[] = [
      { uniqueItems: true },
      { items: { $ref: "#" } },
      { enum: [{ $ref: "#" }] },
      { properties: { a: { properties: { $where: true } } } },
      { minimum: 2, maximum: 1 },
      { unheardOf: { $ref: "#" } },
    ];
    expect(others.filter(plainIn)).toEqual([]);
  });
});
