/* oxlint-disable unicorn/no-thenable -- `then` is a keyword of JSON Schema */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonSchema } from "../model/policy.js";
import { GENERATED, INTERPRETED, VALIDATORS, problemsOf } from "./validators.test-support.js";

type Row = readonly [
  name: string,
  schema: JsonSchema,
  good: readonly unknown[],
  bad: readonly (readonly [unknown, ...string[]])[],
];

const KEYWORDS: readonly Row[] = [
  [
    "type",
    { type: ["integer", "null"] },
    [1, 1.0, null],
    [
      ["1", " type"],
      [1.5, " type"],
      [true, " type"],
    ],
  ],
  [
    "enum",
    { enum: [1, "a", { b: [1] }] },
    [1, "a", { b: [1] }],
    [
      ["1", " enum"],
      [{ b: [2] }, " enum"],
    ],
  ],
  ["const", { const: { a: 1, b: 2 } }, [{ b: 2, a: 1 }], [[{ a: 1 }, " const"]]],
  [
    "const null",
    { const: null },
    [null],
    [
      [0, " const"],
      [{}, " const"],
    ],
  ],
  [
    "numbers",
    { minimum: 1, exclusiveMaximum: 5 },
    [1, 4.9, "x"],
    [
      [0, " minimum"],
      [5, " exclusiveMaximum"],
    ],
  ],
  ["multipleOf", { multipleOf: 0.01 }, [19.99, 0, -0.07], [[19.995, " multipleOf"]]],
  [
    "multipleOf of large numbers",
    { multipleOf: 3 },
    [9e15],
    [
      [1e300, " multipleOf"],
      [9e15 + 1, " multipleOf"],
    ],
  ],
  [
    "lengths are characters",
    { minLength: 2, maxLength: 3 },
    ["ab", "😀😀", "😀😀😀"],
    [
      ["😀", " minLength"],
      ["😀😀😀😀", " maxLength"],
    ],
  ],
  [
    "pattern",
    { pattern: "^[a-z]+$" },
    ["ab", 1],
    [
      ["aB", " pattern"],
      ["", " pattern"],
    ],
  ],
  ["format", { format: "uuid" }, ["0197283c-0000-7000-8000-000000000000"], [["x", " format"]]],
  [
    "array sizes",
    { minItems: 1, maxItems: 2 },
    [[1]],
    [
      [[], " minItems"],
      [[1, 2, 3], " maxItems"],
    ],
  ],
  [
    "items",
    { prefixItems: [{ type: "string" }], items: { type: "integer" } },
    [["a", 1, 2], []],
    [[[1, "a"], "/0 type", "/1 type"]],
  ],
  [
    "contains",
    { contains: { type: "integer" }, maxContains: 2 },
    [[1], [1, "a", 2]],
    [
      [["a"], " contains"],
      [[1, 2, 3], " maxContains"],
    ],
  ],
  [
    "uniqueItems",
    { uniqueItems: true },
    [[1, "1", [1], { a: 1 }]],
    [
      [
        [
          { a: 1, b: 2 },
          { b: 2, a: 1 },
        ],
        " uniqueItems",
      ],
      [[0, -0], " uniqueItems"],
    ],
  ],
  ["required", { required: ["a", "b/c"] }, [{ a: 1, "b/c": null }], [[{}, "/a required", "/b~1c required"]]],
  [
    "object sizes",
    { minProperties: 1, maxProperties: 2 },
    [{ a: 1 }],
    [
      [{}, " minProperties"],
      [{ a: 1, b: 2, c: 3 }, " maxProperties"],
    ],
  ],
  [
    "propertyNames",
    { propertyNames: { pattern: "^[a-z]$" } },
    [{ a: 1 }],
    [[{ aa: 1 }, "/aa propertyNames"]],
  ],
  [
    "properties",
    {
      properties: { a: { type: "integer" } },
      patternProperties: { "^x-": { type: "string" } },
      additionalProperties: false,
    },
    [{ a: 1, "x-b": "c" }],
    [[{ a: "x", "x-b": 1, c: 0 }, "/a type", "/x-b type", "/c additionalProperties"]],
  ],
  [
    "dependentRequired",
    { dependentRequired: { card: ["name"] } },
    [{}, { card: 1, name: 1 }],
    [[{ card: 1 }, "/name dependentRequired"]],
  ],
  [
    "dependentSchemas",
    { dependentSchemas: { a: { required: ["b"] } } },
    [{}, { a: 1, b: 1 }],
    [[{ a: 1 }, "/b required"]],
  ],
  ["allOf", { allOf: [{ minimum: 1 }, { maximum: 3 }] }, [2], [[0, " minimum"]]],
  ["anyOf", { anyOf: [{ type: "string" }, { minimum: 1 }] }, ["x", 1], [[0, " anyOf"]]],
  [
    "oneOf",
    { oneOf: [{ multipleOf: 2 }, { multipleOf: 3 }] },
    [2, 3],
    [
      [1, " oneOf"],
      [6, " oneOf"],
    ],
  ],
  ["not", { not: { type: "string" } }, [1], [["x", " not"]]],
  [
    "if",
    { if: { type: "string" }, then: { minLength: 2 }, else: { minimum: 2 } },
    ["ab", 2],
    [
      ["a", " minLength"],
      [1, " minimum"],
    ],
  ],
  ["false below", { properties: { a: false } }, [{}], [[{ a: 1 }, "/a false"]]],
  [
    "unevaluatedProperties",
    {
      anyOf: [{ properties: { a: true }, required: ["a"] }, { properties: { b: true } }],
      unevaluatedProperties: false,
    },
    [{ a: 1 }, { a: 1, b: 1 }],
    [[{ c: 1 }, "/c unevaluatedProperties"]],
  ],
  [
    "unevaluatedProperties as a schema",
    { properties: { a: true }, unevaluatedProperties: { type: "integer" } },
    [{ a: "x", b: 1 }],
    [[{ b: "x" }, "/b type"]],
  ],
  [
    "unevaluatedItems",
    { prefixItems: [true], contains: { type: "string" }, unevaluatedItems: false },
    [[1, "a"]],
    [[[1, "a", 2], "/2 unevaluatedItems"]],
  ],
  [
    "references to itself",
    { $ref: "#/$defs/n", $defs: { n: { properties: { next: { $ref: "#/$defs/n" } }, required: ["v"] } } },
    [{ v: 1, next: { v: 2 } }],
    [[{ v: 1, next: {} }, "/next/v required"]],
  ],
  [
    "names of every object",
    { properties: { constructor: { type: "integer" } }, required: ["toString"] },
    [{ toString: 1 }],
    [
      [{}, "/toString required"],
      [{ toString: 1, constructor: "x" }, "/constructor type"],
    ],
  ],
];

describe.each(VALIDATORS)("%s validator", (_validator, compiler) => {
  it.each(KEYWORDS)("%s", (_name, schema, good, bad) => {
    for (const value of good) expect(problemsOf(compiler, schema, value)).toEqual([]);
    for (const [value, ...problems] of bad) expect(problemsOf(compiler, schema, value)).toEqual(problems);
  });

  it("a problem is told in words without the value", () => {
    const validate = compiler.compile(
      { properties: { a: { maximum: 5 } } },
      { schemas: {}, unknown: "allow", maxProblems: 20 },
    );
    expect(validate({ a: 777 })).toEqual([{ pointer: "/a", rule: "maximum", message: "must be at most 5" }]);
  });

  it("B7.114: integers lose no digits", () => {
    const schema = { items: { type: "integer" } };
    expect(problemsOf(compiler, schema, [2 ** 53 - 1, -(2 ** 53), 1e300])).toEqual([
      "/1 unsafe-integer",
      "/2 unsafe-integer",
    ]);
    expect(problemsOf(compiler, schema, [2 ** 53], { unsafeIntegers: "allow" })).toEqual([]);
    expect(problemsOf(compiler, { type: ["integer", "number"] }, 1e300)).toEqual([]);
    expect(problemsOf(compiler, { not: { type: "integer" } }, 1e300)).toEqual([" not"]);
  });

  it("what ajv by itself reads another way is read as the specification has it", () => {
    expect(
      problemsOf(compiler, { prefixItems: [{ type: "string" }], contains: { type: "string" } }, []),
    ).toEqual([" contains"]);
    // Its comparison of objects calls the caller's `toString`.
    expect(problemsOf(compiler, { enum: [{}] }, { toString: [] })).toEqual([" enum"]);
    expect(problemsOf(compiler, { const: {} }, { valueOf: 1 })).toEqual([" const"]);
    const conditional = { if: false, then: { required: ["a"] }, else: { properties: { b: true } } };
    expect(problemsOf(compiler, { ...conditional, unevaluatedProperties: false }, { c: 1 })).toEqual([
      "/c unevaluatedProperties",
    ]);
    expect(
      problemsOf(compiler, { if: { properties: { a: true } }, unevaluatedProperties: false }, { a: 1 }),
    ).toEqual([]);
  });

  it("B7.117: inherited names are no members", () => {
    const schema = {
      type: "object",
      properties: { ["__proto__"]: { type: "integer" } },
      required: ["constructor"],
    };
    expect(problemsOf(compiler, schema, {})).toEqual(["/constructor required"]);
    expect(problemsOf(compiler, schema, JSON.parse('{"__proto__":"x","constructor":1}'))).toEqual([
      "/__proto__ type",
    ]);
  });

  it("B7.119: patterns of authors run in linear time", () => {
    const text = `${"a".repeat(50_000)}!`;
    expect(problemsOf(compiler, { pattern: "^(a+)+$" }, text)).toEqual([" pattern"]);
    expect(problemsOf(compiler, { patternProperties: { "^(a+)+$": false } }, { [text]: 1 })).toEqual([]);
  });

  it("B7.119: two patterns are two patterns", () => {
    const schema = { properties: { a: { pattern: "^a$" }, b: { pattern: "^b$" } } };
    expect(problemsOf(compiler, schema, { a: "a", b: "a" })).toEqual(["/b pattern"]);
  });

  it("B7.120: problems are capped, however many a body has", () => {
    const wrong = Array.from({ length: 100_000 }, () => 1);
    expect(problemsOf(compiler, { items: { type: "string" } }, wrong)).toHaveLength(20);
    expect(problemsOf(compiler, { items: { type: "string" } }, wrong, { maxProblems: 3 })).toHaveLength(3);
    const members = Object.fromEntries(wrong.map((value, at) => [`k${at}`, value]));
    expect(problemsOf(compiler, { type: "object" }, members, { unknown: "reject" })).toHaveLength(20);
  });

  it("a caller's long name is cut short in a pointer", () => {
    expect(problemsOf(compiler, { additionalProperties: false }, { ["x".repeat(1000)]: 1 })).toEqual([
      `/${"x".repeat(64)}… additionalProperties`,
    ]);
  });
});

const NODE: JsonSchema = {
  type: "object",
  properties: { v: { type: "integer" }, next: { $ref: "#/schemas/Node" } },
};
const BASE: JsonSchema = { type: "object", properties: { id: { type: "string" } } };
const SCHEMAS = {
  Node: NODE,
  Base: BASE,
  Open: { type: "object", additionalProperties: true },
  Word: { type: "string" },
};

const UNKNOWN: readonly (readonly [string, JsonSchema, unknown, string[], unknown])[] = [
  ["an object schema", { properties: { a: true } }, { a: 1, b: 2 }, ["/b unknown"], { a: 1 }],
  ["an object schema without members", { type: "object" }, { b: 2 }, ["/b unknown"], {}],
  ["an object schema that is open", { type: "object", additionalProperties: true }, { b: 2 }, [], { b: 2 }],
  ["a schema that takes anything", {}, { b: { c: 1 } }, [], { b: { c: 1 } }],
  ["true", true, { b: { c: 1 } }, [], { b: { c: 1 } }],
  [
    "a list of objects",
    { items: { properties: { a: true } } },
    [{ a: 1, b: 1 }],
    ["/0/b unknown"],
    [{ a: 1 }],
  ],
  [
    "what a map lets in",
    { additionalProperties: { properties: { a: true } } },
    { x: { a: 1, b: 1 } },
    ["/x/b unknown"],
    { x: { a: 1 } },
  ],
  ["a reference", { $ref: "#/schemas/Base" }, { id: "x", b: 1 }, ["/b unknown"], { id: "x" }],
  [
    "a reference beside members",
    { $ref: "#/schemas/Base", properties: { c: true } },
    { id: "x", c: 1, b: 1 },
    ["/b unknown"],
    { id: "x", c: 1 },
  ],
  [
    "a reference beside an open end",
    { $ref: "#/schemas/Base", additionalProperties: true },
    { id: "x", b: 1 },
    [],
    { id: "x", b: 1 },
  ],
  ["a reference to what is open", { $ref: "#/schemas/Open" }, { b: 1 }, [], { b: 1 }],
  ["a reference to what is no object", { items: { $ref: "#/schemas/Word" } }, ["a"], [], ["a"]],
  [
    "a part that is open",
    { allOf: [{ $ref: "#/schemas/Base" }, { $ref: "#/schemas/Open" }] },
    { id: "x", b: 1 },
    [],
    { id: "x", b: 1 },
  ],
  [
    "parts of a whole",
    { allOf: [{ $ref: "#/schemas/Base" }, { properties: { c: true } }] },
    { id: "x", c: 1, b: 1 },
    ["/b unknown"],
    { id: "x", c: 1 },
  ],
  [
    "recursion",
    { $ref: "#/schemas/Node" },
    { v: 1, next: { next: { x: 1 } } },
    ["/next/next/x unknown"],
    { v: 1, next: { next: {} } },
  ],
  [
    "recursion to the root",
    { properties: { in: { $ref: "#" } } },
    { in: { in: { x: 1 } } },
    ["/in/in/x unknown"],
    { in: { in: {} } },
  ],
  [
    "a condition is no shape",
    {
      properties: { a: true },
      if: { properties: { a: { properties: { k: { const: 1 } } } } },
      then: { required: ["a"] },
      else: false,
    },
    { a: { k: 1, z: 1 } },
    [],
    { a: { k: 1, z: 1 } },
  ],
  [
    "a negation is no shape",
    {
      type: "object",
      properties: { a: true },
      not: { properties: { a: { properties: { k: { const: 1 } }, required: ["k"] } } },
    },
    { a: { k: 1, z: 1 } },
    [" not"],
    undefined,
  ],
  [
    "values that are written out",
    { properties: { a: { const: { k: 1 } }, b: { enum: [{ k: 1 }] } } },
    { a: { k: 1 }, b: { k: 1 } },
    [],
    { a: { k: 1 }, b: { k: 1 } },
  ],
  [
    "alternatives of shape and scalar",
    { anyOf: [{ type: "string" }, { properties: { a: true } }] },
    { a: 1, b: 1 },
    ["/b unknown"],
    { a: 1 },
  ],
];

describe.each(VALIDATORS)("unknown, %s", (_validator, compiler) => {
  it.each(UNKNOWN)("reject refuses what no schema names: %s", (_name, schema, value, problems) => {
    expect(problemsOf(compiler, schema, value, { unknown: "reject", schemas: SCHEMAS })).toEqual(problems);
  });

  it.each(UNKNOWN.filter(([, , , , stripped]) => stripped !== undefined))(
    "strip takes out exactly that: %s",
    (_name, schema, value, _problems, stripped) => {
      const copy = structuredClone(value);
      expect(problemsOf(compiler, schema, copy, { unknown: "strip", schemas: SCHEMAS })).toEqual([]);
      expect(copy).toEqual(stripped);
    },
  );

  it("allow lets pass what is written nowhere, and an author's own word stands", () => {
    expect(problemsOf(compiler, { properties: { a: true } }, { b: 1 })).toEqual([]);
    expect(problemsOf(compiler, { additionalProperties: false }, { b: 1 })).toEqual([
      "/b additionalProperties",
    ]);
    const closed = { additionalProperties: false };
    expect(problemsOf(compiler, closed, { b: 1 }, { unknown: "strip" })).toEqual(["/b additionalProperties"]);
  });

  it("strip leaves a value that does not fit as it was", () => {
    const value = { a: "x", b: 1 };
    const schema = { properties: { a: { type: "integer" } } };
    expect(problemsOf(compiler, schema, value, { unknown: "strip" })).toEqual(["/a type", "/b unknown"]);
    expect(value).toEqual({ a: "x", b: 1 });
  });

  it("strip drops what a branch that does not fit would have cut", () => {
    const first = { properties: { a: { properties: { k: true } }, z: { const: 1 } } };
    const second = { properties: { a: { properties: { x: true } }, z: true } };
    const value = { a: { x: 1, y: 1 }, z: 2 };
    expect(problemsOf(compiler, { anyOf: [first, second] }, value, { unknown: "strip" })).toEqual([]);
    expect(value).toEqual({ a: { x: 1 }, z: 2 });
  });

  it("what strip leaves must fit by itself", () => {
    const schema = { properties: { a: true }, minProperties: 2 };
    expect(problemsOf(compiler, schema, { a: 1, b: 2 }, { unknown: "strip" })).toEqual([" minProperties"]);
  });

  it("what is missing and what is unknown are told together, also through a reference", () => {
    const schema = { $ref: "#/schemas/Base", required: ["id"], properties: { c: { type: "integer" } } };
    expect(problemsOf(compiler, schema, { c: "x", b: 1 }, { unknown: "reject", schemas: SCHEMAS })).toEqual([
      "/id required",
      "/c type",
      "/b unknown",
    ]);
  });
});

describe("references", () => {
  it.each([
    ["a document's schema", { $ref: "#/schemas/Base/properties/id" }, 1, [" type"]],
    ["an escaped name", { $ref: "#/$defs/a~1b%20c", $defs: { "a/b c": { type: "string" } } }, 1, [" type"]],
    [
      "one through another",
      { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/b" }, b: { type: "string" } } },
      1,
      [" type"],
    ],
  ])("%s", (_name, schema, value, problems) => {
    for (const [, compiler] of VALIDATORS)
      expect(problemsOf(compiler, schema, value, { schemas: SCHEMAS })).toEqual(problems);
  });

  it("`#` in a document's schema is that schema", () => {
    const schemas = {
      Tree: {
        properties: { child: { $ref: "#" }, leaf: { $ref: "#/$defs/leaf" } },
        $defs: { leaf: { type: "integer" } },
      },
    };
    const value = { child: { child: { leaf: "x" } } };
    for (const [, compiler] of VALIDATORS) {
      expect(problemsOf(compiler, { $ref: "#/schemas/Tree" }, value, { schemas })).toEqual([
        "/child/child/leaf type",
      ]);
    }
  });

  it("what the checks of the document refuse is a fault here, not a pass", () => {
    for (const [, compiler] of VALIDATORS) {
      expect(() => problemsOf(compiler, { $ref: "#/schemas/Nope" }, 1)).toThrow(
        "the reference `#/schemas/Nope` leads nowhere",
      );
      expect(() => problemsOf(compiler, { $ref: "https://example.test/a.json" }, 1)).toThrow("leads nowhere");
      expect(() => problemsOf(compiler, { $dynamicRef: "#a" }, 1)).toThrow(
        "`$dynamicRef` is not part of the policy language",
      );
      expect(() => problemsOf(compiler, { format: "creditcard" }, "x")).toThrow("the format is not known");
      expect(() => problemsOf(compiler, { pattern: "(?=a)" }, "x")).toThrow(
        "invalid or unsupported Perl syntax",
      );
    }
  });
});

describe("properties", () => {
  const names = fc.constantFrom("a", "b", "c", "toString");
  const values = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      fc.constantFrom(0, 1, 2, 1.5, -1, 1e300, "", "a", "aa", "b1", null, true),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(names, tie("value"), { maxKeys: 3, noNullPrototype: true }),
    ),
  })).value;
  const schemas = fc.letrec<{ schema: JsonSchema }>((tie) => {
    const sub = tie("schema");
    const subs = fc.array(sub, { minLength: 1, maxLength: 2 });
    const some = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T> => one;
    return {
      schema: fc.oneof(
        { maxDepth: 3, depthSize: "small" },
        fc.boolean(),
        fc.record(
          {
            type: some(fc.constantFrom("object", "array", "string", "integer", "number", ["object", "null"])),
            enum: fc.array(values, { minLength: 1, maxLength: 3 }),
            minimum: fc.constantFrom(0, 1),
            multipleOf: fc.constantFrom(2, 0.5),
            maxLength: fc.constantFrom(0, 1),
            pattern: fc.constantFrom("^a", "\\d$"),
          },
          { requiredKeys: [] },
        ),
        fc.record(
          {
            properties: fc.dictionary(names, sub, { maxKeys: 2, noNullPrototype: true }),
            patternProperties: fc.dictionary(fc.constantFrom("^a", "b"), sub, {
              maxKeys: 1,
              noNullPrototype: true,
            }),
            additionalProperties: sub,
            unevaluatedProperties: sub,
            required: fc.uniqueArray(names, { maxLength: 2 }),
            propertyNames: fc.constantFrom({ pattern: "^[ab]" }, true),
            dependentRequired: fc.constantFrom({ a: ["b"] }),
            dependentSchemas: fc.dictionary(names, sub, { maxKeys: 1, noNullPrototype: true }),
          },
          { requiredKeys: [] },
        ),
        fc.record(
          {
            items: sub,
            prefixItems: subs,
            contains: sub,
            maxItems: fc.constantFrom(1, 2),
            uniqueItems: fc.boolean(),
            unevaluatedItems: sub,
          },
          { requiredKeys: [] },
        ),
        fc.record(
          {
            allOf: subs,
            anyOf: subs,
            oneOf: subs,
            not: sub,
            properties: fc.dictionary(names, sub, { maxKeys: 2, noNullPrototype: true }),
          },
          { requiredKeys: [] },
        ),
        fc.record({ if: sub, then: sub, else: sub }, { requiredKeys: ["if"] }),
        fc.constantFrom({ $ref: "#/schemas/S" }, { $ref: "#/schemas/R" }),
      ),
    };
  }).schema;
  const documents = fc.record({
    S: schemas,
    R: fc.constant({
      type: "object",
      properties: { a: { $ref: "#/schemas/R" }, b: { $ref: "#/schemas/S" } },
    }),
  });
  const modes = fc.constantFrom("reject" as const, "strip" as const, "allow" as const);

  it("validators_agree", () => {
    fc.assert(
      fc.property(schemas, documents, values, modes, (schema, document, value, unknown) => {
        fc.pre(!JSON.stringify(document.S).includes("#/schemas/"));
        const [a, b] = [structuredClone(value), structuredClone(value)];
        const one = problemsOf(GENERATED, schema, a, { schemas: document, unknown });
        const other = problemsOf(INTERPRETED, schema, b, { schemas: document, unknown });
        expect(one).toEqual(other);
        expect(a).toEqual(b);
        expect(one).not.toContain(" schema");
      }),
      { numRuns: 600 },
    );
  });

  it("what_strip_lets_pass_reject_lets_pass", () => {
    fc.assert(
      fc.property(schemas, documents, values, (schema, document, value) => {
        fc.pre(!JSON.stringify(document.S).includes("#/schemas/"));
        const copy = structuredClone(value);
        if (problemsOf(INTERPRETED, schema, copy, { schemas: document, unknown: "strip" }).length > 0) return;
        expect(problemsOf(INTERPRETED, schema, copy, { schemas: document, unknown: "reject" })).toEqual([]);
        const strict = problemsOf(INTERPRETED, schema, value, { schemas: document, unknown: "reject" });
        if (strict.length === 0) expect(copy).toEqual(value);
      }),
      { numRuns: 300 },
    );
  });
});
