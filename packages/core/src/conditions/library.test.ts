import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { libraryFor } from "./library.test-support.js";
import { vocabularyOf } from "./roots.js";
import { diagnose, identityOf, result, sample, SCOPE } from "./conditions.test-support.js";

/** The library's own answer: true, false, or `error`. Integers are bigints there, and records instances of their types. */
function theirs(text: string, facts: Facts): boolean | "error" {
  const vocabulary = vocabularyOf(SCOPE);
  const { environment, instance } = libraryFor(vocabulary, text);
  const body = vocabulary.body?.type;
  const principal = vocabulary.roots.get("principal")?.record;
  if (body?.kind !== "record" || principal === undefined)
    throw new Error("the body of the shared scope is an object");
  const { i, j, l, ...rest } = facts.body;
  const integers = {
    ...(i === undefined ? {} : { i: BigInt(i) }),
    ...(j === undefined ? {} : { j: BigInt(j) }),
    ...(l === undefined ? {} : { l: l.map(BigInt) }),
  };
  try {
    const value: unknown = environment.evaluate(text, {
      body: instance(body.record, { ...rest, ...integers }),
      principal: instance(principal, {
        id: "ann",
        roles: ["clerk"],
        scopes: [],
        authenticated: true,
        claims: facts.claims,
      }),
    });
    return value === true || value === false ? value : "error";
  } catch {
    return "error";
  }
}

function ours(text: string, facts: Facts): boolean | "error" {
  const value = result(
    text,
    sample({ identity: identityOf({ roles: ["clerk"], claims: facts.claims }), body: facts.body }),
  );
  return typeof value === "boolean" ? value : "error";
}

interface Facts {
  readonly body: {
    readonly i?: number;
    readonly j?: number;
    readonly d?: number;
    readonly s?: string;
    readonly b?: boolean;
    readonly l?: readonly number[];
    readonly ls?: readonly string[];
  };
  readonly claims: Readonly<Record<string, unknown>>;
}

const text = fc.constantFrom("", "a", "b", "ab", "abc");
const small = fc.integer({ min: -20, max: 20 });
const claim = fc.oneof(
  small,
  fc.constantFrom(0.5, 1.5),
  text,
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.oneof(small, text), { maxLength: 3 }),
  fc.dictionary(text, small, { maxKeys: 2 }),
);

/** Members may be missing: errors must be the same errors. */
const facts: fc.Arbitrary<Facts> = fc.record({
  body: fc.record(
    {
      i: small,
      j: small,
      d: fc.constantFrom(-1.5, 0, 0.5, 3),
      s: text,
      b: fc.boolean(),
      l: fc.array(small, { maxLength: 4 }),
      ls: fc.array(text, { maxLength: 4 }),
    },
    { requiredKeys: [] },
  ),
  claims: fc.record({ a: claim, b: claim, c: claim }, { requiredKeys: [] }),
});

function join(...parts: readonly (string | fc.Arbitrary<string>)[]): fc.Arbitrary<string> {
  return fc
    .tuple(...parts.map((part) => (typeof part === "string" ? fc.constant(part) : part)))
    .map((made) => made.join(""));
}

const leafInt = fc.oneof(
  small.map((value) => (value < 0 ? `(${value})` : String(value))),
  fc.constantFrom("body.i", "body.j", "size(body.l)", "size(body.s)", "size(body.ls)"),
);
const leafDouble = fc.constantFrom("0.5", "2.0", "-1.5", "body.d", "double(body.i)");
const leafText = fc.oneof(
  text.map((value) => `'${value}'`),
  fc.constantFrom("body.s", "body.ls[0]", "principal.id", "string(body.i)", "string(body.b)"),
);
const dynamic = fc.constantFrom(
  "principal.claims.a",
  "principal.claims.b",
  "principal.claims.c",
  "principal.claims.a.b",
  "dyn(body.i)",
  "dyn(body.s)",
  "dyn(body.l)",
  "dyn(1.5)",
);
const order = fc.constantFrom(" < ", " <= ", " > ", " >= ");
const equality = fc.constantFrom(" == ", " != ");

const grammar = fc.letrec<{ int: string; double: string; text: string; bool: string }>((tie) => ({
  int: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leafInt,
    join("(", tie("int"), fc.constantFrom(" + ", " - ", " / ", " % "), tie("int"), ")"),
    join("(", leafInt, " * ", leafInt, ")"),
    join("(", tie("bool"), " ? ", tie("int"), " : ", tie("int"), ")"),
    join("body.l[", leafInt, "]"),
    join("-", leafInt),
  ),
  double: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leafDouble,
    join("(", tie("double"), fc.constantFrom(" + ", " - ", " * ", " / "), tie("double"), ")"),
  ),
  text: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leafText,
    join("(", tie("text"), " + ", tie("text"), ")"),
    join("(", tie("bool"), " ? ", tie("text"), " : ", tie("text"), ")"),
  ),
  bool: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(
      "true",
      "false",
      "body.b",
      "has(body.i)",
      "has(body.s)",
      "has(principal.claims.a)",
      "('clerk' in principal.roles)",
      "('admin' in principal.roles)",
    ),
    join("(", tie("int"), order, tie("int"), ")"),
    join("(", tie("int"), equality, tie("int"), ")"),
    join("(", tie("double"), order, tie("int"), ")"),
    join("(", tie("int"), equality, tie("double"), ")"),
    join("(", tie("text"), order, tie("text"), ")"),
    join("(", tie("text"), equality, tie("text"), ")"),
    join(tie("text"), fc.constantFrom(".contains(", ".startsWith(", ".endsWith("), tie("text"), ")"),
    join(tie("text"), ".matches('", fc.constantFrom("^a", "b$", "a.c", "^$", "[ab]+"), "')"),
    join("(", tie("text"), " in body.ls)"),
    join("(", tie("int"), " in body.l)"),
    join("(", tie("int"), " in [", leafInt, ", ", leafInt, "])"),
    join("(", dynamic, equality, dynamic, ")"),
    join("(", dynamic, equality, fc.oneof(leafInt, leafText, leafDouble, fc.constant("null")), ")"),
    join("(", dynamic, order, fc.oneof(leafInt, leafText), ")"),
    join("(", dynamic, " ? ", tie("bool"), " : ", tie("bool"), ")"),
    join("(", dynamic, fc.constantFrom(" && ", " || "), tie("bool"), ")"),
    join("(", tie("bool"), fc.constantFrom(" && ", " || "), dynamic, ")"),
    join(
      fc.constantFrom("principal.claims.a", "principal.claims.b"),
      fc.constantFrom(".exists(x, x == ", ".all(x, x != ", ".exists_one(x, x == "),
      fc.oneof(leafInt, leafText),
      ")",
    ),
    join("(", tie("bool"), fc.constantFrom(" && ", " || "), tie("bool"), ")"),
    join("(", tie("bool"), " ? ", tie("bool"), " : ", tie("bool"), ")"),
    join("!", tie("bool")),
    join("body.l", fc.constantFrom(".all(x, x", ".exists(x, x", ".exists_one(x, x"), order, leafInt, ")"),
    join("body.l.map(x, x + ", leafInt, ").exists(y, y", equality, leafInt, ")"),
    join("(body.ls.filter(x, x", order, leafText, ").size() == ", leafInt, ")"),
    join("body.l.all(x, 6 / x > ", leafInt, ")"),
    join("body.l.exists(x, 6 / x > ", leafInt, " || ", tie("bool"), ")"),
  ),
}));

describe("beside the library's evaluator", () => {
  it("compiled_conditions_agree_with_the_library", () => {
    fc.assert(
      fc.property(grammar.bool, facts, (expression, given) => {
        expect([expression, ours(expression, given)]).toEqual([expression, theirs(expression, given)]);
      }),
      { numRuns: 1500 },
    );
  });
});

/** Where the language's reference wins over the library's evaluator, each with what the library says. */
const DIFFERENCES: readonly (readonly [
  why: string,
  text: string,
  ours: boolean | "error",
  theirs: boolean | "error",
])[] = [
  [
    "an int is exact or an error: beyond ±(2^53 − 1) JSON has rounded already",
    "body.i + 9007199254740991 > 0",
    "error",
    true,
  ],
  ["the same for a product", "body.i * 9007199254740991 > 0", "error", true],
  ["and for a double made an int", "int(body.d * 1e100) > 0", "error", true],
  ["text is an int only when it is digits", "int(principal.claims.empty) == 0", "error", true],
  ["no other base is guessed", "int(principal.claims.binary) == 3", "error", true],
  [
    "text is a double only when it is a decimal number",
    "double(principal.claims.hex) == 16.0",
    "error",
    true,
  ],
  ["there is no text for infinity", "double(principal.claims.inf) > 1.0", "error", true],
  [
    "texts are ordered by code points, not by UTF-16 units",
    "principal.claims.wide < principal.claims.astral",
    true,
    false,
  ],
  ["patterns are RE2: `\\z` ends the text", "'a'.matches('a\\\\z')", true, false],
  ["a scalar has no fields to ask for", "has(principal.claims.s.x)", "error", false],
  [
    "a day that no calendar has is no timestamp",
    "timestamp(principal.claims.day) < timestamp('2027-01-01T00:00:00Z')",
    "error",
    true,
  ],
  ["comprehensions end after 10,000 steps", "principal.claims.long.all(x, x == 1)", "error", true],
  [
    "a text that grows beyond a million characters is an error",
    "size(string(principal.claims.text) + string(principal.claims.text)) > 1",
    "error",
    true,
  ],
];

const GIVEN: Facts = {
  body: { i: 3, d: 1e200 },
  claims: {
    s: "text",
    empty: "",
    binary: "0b11",
    hex: "0x10",
    inf: "inf",
    wide: "\uff5e",
    astral: "\u{1f600}",
    day: "2026-02-30T00:00:00Z",
    n: 1,
    long: Array.from({ length: 10_001 }, () => 1),
    text: "x".repeat(600_000),
  },
};

describe("differences from the library's evaluator", () => {
  it.each(DIFFERENCES)("%s: %s", (_, expression, expectedOurs, expectedTheirs) => {
    expect({ ours: ours(expression, GIVEN), theirs: theirs(expression, GIVEN) }).toEqual({
      ours: expectedOurs,
      theirs: expectedTheirs,
    });
  });

  it.each([
    ["values of unknown type are not computed with", "principal.claims.n + 1 == 2"],
    ["patterns are literal", "body.s.matches(principal.claims.s)"],
    ["no instants of unknown type", "dyn(timestamp('2026-01-01T00:00:00Z')) == 1"],
    ["keys of maps are literal texts", "{body.s: 1} == {'a': 1}"],
    ["no functions beyond standard CEL", "body.s.lowerAscii() == 'x'"],
    ["no unsigned integers", "1u == 1u"],
    ["no bytes", "b'a' == b'a'"],
    ["no types as values", "type(1) == int"],
    ["no binding of names", "cel.bind(x, 1, x == 1)"],
    ["no records as values", "dyn(body.customer) == 1"],
    ["no undeclared fields behind has()", "has(body.customer.nothing)"],
    ["no conversions that can never succeed", "timestamp('never') < timestamp('2026-01-01T00:00:00Z')"],
    ["no value of unknown type for a condition", "principal.claims.b"],
  ])("refused although the library takes it: %s: %s", (_, expression) => {
    expect(diagnose(expression).length).toBeGreaterThan(0);
    expect(libraryFor(vocabularyOf(SCOPE), expression).environment.check(expression).valid).toBe(true);
  });
});
