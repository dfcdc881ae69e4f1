/** Properties of the language itself, on documents made of the reference's sample by changing it everywhere. */
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DIAGNOSTIC_CODES } from "../errors/diagnostic-codes.js";
import { type Diagnostic, Report } from "../errors/diagnostics.js";
import { canonicalJson } from "../lib/canonical-json.js";
import { parsePointer, pointerTo, valueAt } from "../lib/pointer.js";
import type { PolicyDocument } from "../model/policy.js";
import { checkPolicy } from "./check.js";
import { parsePolicy } from "./parse.js";
import { resolveLeniently, resolvePolicy } from "./resolve.js";
import { SAMPLE } from "./sample.test-support.js";
import { checkShape } from "./shape.js";

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

const PARSED = parsePolicy(SAMPLE) as unknown as Json;
const sample = (): Json => structuredClone(PARSED);

function pointersOf(value: Json, pointer = ""): string[] {
  if (typeof value !== "object" || value === null) return [pointer];
  return [
    pointer,
    ...Object.entries(value).flatMap(([key, inner]) => pointersOf(inner, pointerTo(pointer, key))),
  ];
}

const POINTERS = pointersOf(sample());

/** The sample with one place changed; undefined takes it out. */
function changed(pointer: string, value: Json | undefined, document = sample()): Json | undefined {
  const segments = parsePointer(pointer) ?? [];
  const key = segments.at(-1);
  if (key === undefined) return value;
  const parent = valueAt(document, segments.slice(0, -1));
  if (typeof parent !== "object" || parent === null) return document;
  if (value === undefined) Reflect.deleteProperty(parent, key);
  else Reflect.set(parent, key, value);
  return document;
}

/** What was told before has been looked at: the same few hundred diagnostics come thousands of times. */
const LOOKED_AT = new Set<string>();

function expectListed(diagnostics: readonly Diagnostic[]): void {
  for (const { code, pointer, message, help } of diagnostics) {
    const told = `${code} ${pointer} ${message} ${help ?? ""}`;
    if (LOOKED_AT.has(told)) continue;
    LOOKED_AT.add(told);
    expect(DIAGNOSTIC_CODES).toHaveProperty([code]);
    expect(parsePointer(pointer)).toBeDefined();
    expect(message).toMatch(/^[^A-Z\n].*[^.\n]$/u);
    if (help !== undefined) expect(help).not.toMatch(/\.$/u);
  }
}

/** Places that hold a value of the author's own, where any JSON may stand. */
const FREE = ["/jwks/keys/0", "/default", "/enum"];
const isFree = (pointer: string): boolean => FREE.some((place) => pointer.includes(place));

describe("no value anywhere makes a check throw (B10.150)", () => {
  const WRONG: readonly (Json | undefined)[] = ["", -1, [], {}, [null], undefined];

  it.each(
    WRONG.map(
      (value, turn) =>
        [value === undefined ? "a missing value" : JSON.stringify(value), value, turn] as const,
    ),
  )("%s at every third pointer, each pointer with two of the values", (_name, value, turn) => {
    const pointers = POINTERS.filter((_pointer, index) => index % 3 === turn % 3);
    for (const pointer of pointers) expectListed(checkPolicy(changed(pointer, value)));
  });

  it("refuses null at every pointer where the language says what may stand there", () => {
    const passed = POINTERS.filter((pointer) => {
      const found = checkPolicy(changed(pointer, null));
      expectListed(found);
      return found.length === 0;
    });
    expect(passed.filter((pointer) => !isFree(pointer))).toEqual([]);
  });
});

describe("a typo never turns a protection off (B10.157)", () => {
  it("refuses an unknown key in every object", () => {
    const objects = POINTERS.filter((pointer) => {
      const value = valueAt(sample(), parsePointer(pointer) ?? []);
      return typeof value === "object" && value !== null && !Array.isArray(value) && !isFree(pointer);
    });
    expect(objects.length).toBeGreaterThan(60);
    const passed = objects.filter((pointer) => {
      const found = checkPolicy(changed(pointerTo(pointer, "protectd"), 1));
      return !found.some(
        ({ severity, pointer: at }) => severity === "error" && at.startsWith(pointerTo(pointer, "protectd")),
      );
    });
    expect(passed).toEqual([]);
  });

  it("denies everything where nothing is written", () => {
    expect(resolvePolicy({ gatehouse: 1, name: "t", routes: {} }, new Report())?.routes).toEqual([]);
  });
});

/** The same value with the keys of every object in another order. */
function shuffled(value: Json, seed: () => number): Json {
  if (Array.isArray(value)) return value.map((item) => shuffled(item, seed));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, shuffled(inner, seed), seed()] as const);
  return Object.fromEntries(entries.sort((a, b) => a[2] - b[2]).map(([key, inner]) => [key, inner]));
}

/** Maps and sets as lists, in their order: it is part of what must not change. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, inner: unknown) => {
      if (key === "document") return undefined;
      return inner instanceof Map || inner instanceof Set ? [...inner] : inner;
    }),
  );
}

describe("order_never_matters", () => {
  const seeds = fc
    .infiniteStream(fc.double({ min: 0, max: 1, noNaN: true }))
    .map((stream) => () => stream.next().value as number);

  it("resolves a document with its keys in any order to the same policy", () => {
    const report = new Report();
    const expected = plain(resolvePolicy(sample() as unknown as PolicyDocument, report));
    fc.assert(
      fc.property(seeds, (seed) => {
        const document = shuffled(sample(), seed) as unknown as PolicyDocument;
        expect(plain(resolvePolicy(document, report))).toEqual(expected);
        expect(canonicalJson(document)).toBe(canonicalJson(sample()));
      }),
      { numRuns: 50 },
    );
    expect(report.diagnostics).toEqual([]);
  });

  it("routes_that_share_their_surroundings_resolve_as_if_they_were_alone", () => {
    const body: Json = { type: "object" };
    const member = fc.constantFrom<readonly [string, Json]>(
      ["authenticate", "none"],
      ["authenticate", ["optional", "partner"]],
      ["limits", ["per-ip"]],
      ["limits", ["inherited", "exports"]],
      ["request", { maxBody: "1kB" }],
      ["request", { types: ["a/b+json"] }],
      ["request", { body }],
      ["response", false],
      ["response", { body }],
      ["response", { redact: { "/a": "mask" } }],
      ["headers", { preset: "web" }],
      ["headers", { "X-A": "b" }],
      ["errors", { expose: "status" }],
      ["audience", "browser"],
      ["cors", "none"],
      ["mode", "observe"],
    );
    // Little is said in each place: what is not said there is what is shared.
    const says = fc.array(member, { maxLength: 2 }).map((members) => Object.fromEntries(members));
    const routes = ["GET /", "GET /c", "POST /a", "GET /a/b", "GET /a/:x", "PUT /a/:x/c", "* /b/*"];
    const groups = ["/a", "/a/:x"];
    const settingsOf = (keys: readonly string[]): fc.Arbitrary<Record<string, Record<string, unknown>>> =>
      fc
        .tuple(...keys.map(() => says))
        .map((all) => Object.fromEntries(all.map((one, at) => [keys[at] ?? "", one])));
    fc.assert(
      fc.property(settingsOf(routes), settingsOf(groups), says, (all, around, defaults) => {
        const given = { ...(sample() as object), groups: around, defaults } as unknown as PolicyDocument;
        const together = resolveLeniently({ ...given, routes: all }, new Report()).routes;
        const alone = together.flatMap(
          ({ key }) => resolveLeniently({ ...given, routes: { [key]: all[key] ?? {} } }, new Report()).routes,
        );
        expect(plain(together)).toEqual(plain(alone));
        // What the language itself says of a route is said at that route.
        for (const { pointer, request } of together)
          if (request.types.from === "language") expect(request.types.pointer).toBe(pointer);
      }),
      { numRuns: 100 },
    );
  });

  it("finds the same problems in a document with its keys in any order", () => {
    const wrong = (): Json => {
      let document = changed("/limits/per-ip/window", "soon") ?? null;
      document = changed("/routes/POST ~1orders/authorize/roles/0", "custmer", document) ?? null;
      document = changed("/groups/~1amdin", { conceal: true }, document) ?? null;
      return changed("/schemas/Order/properties/id/type", "strng", document) ?? null;
    };
    const told = (document: Json): string[] =>
      checkPolicy(document)
        .map((diagnostic) => JSON.stringify(diagnostic))
        .sort();
    const expected = told(wrong());
    expect(expected).toHaveLength(4);
    fc.assert(
      fc.property(seeds, (seed) => {
        expect(told(shuffled(wrong(), seed))).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });
});

describe("the editors' schema and the engine's rules", () => {
  const schema: object = JSON.parse(
    readFileSync(new URL("../../policy.schema.json", import.meta.url), "utf8"),
  );
  const valid = new Ajv2020({ strict: false, logger: false }).compile(schema);

  // One value of each form, and one on either side of each bound.
  const VALUES: readonly (Json | undefined)[] = [
    undefined, null, true, false, -1, 0, 1, 2.5, 48, 64, 65, 1e12, "", "x", "none", "optional", "30s", "day", "64kB", "env:X",
    "GET /a", "authenticated", "anyone", "*", "/a", "ES256", "2026-06-01", "x".repeat(20_000), [], {}, ["x"], ["x", "x"], [1],
    { secret: "env:X" }, { secret: "env:X", more: 1 }, { roles: ["x"] }, { type: "jwt" }, { value: 1 }, [{ roles: ["x"] }, {}],
    [["x", "y"], "z"], { fact: "x" }, { fact: 1 }, { action: "mask" }, { action: "mark" }, { replace: null }, { jwks: "k.json" },
    { lookup: "f" }, { estimate: 1, settle: "response./n" },
  ]; // oxfmt-ignore

  function expectAgreement(document: Json | undefined): void {
    const report = new Report();
    checkShape(document, report);
    if (report.failed === valid(document))
      expect([valid.errors, report.diagnostics, document]).toBe("agreed on");
  }

  it("agree on every value at every pointer", () => {
    // Neither looks inside of JSON Schemas and keys, and one limit stands for all.
    const opaque =
      /^\/schemas\/.+\/|\/(body|params|query)\/.+|\/jwks\/keys\/0\/|^\/limits\/(flood|spray|per-user)/u;
    for (const pointer of POINTERS.filter((one) => !opaque.test(one))) {
      const document = sample();
      for (const value of VALUES) expectAgreement(changed(pointer, structuredClone(value), document));
    }
  });

  it("agree where two places are changed", () => {
    const edit = fc.tuple(fc.constantFrom(...POINTERS.slice(1)), fc.constantFrom(...VALUES));
    fc.assert(
      fc.property(edit, edit, ([one, first], [other, second]) => {
        const document = changed(one, structuredClone(first)) ?? null;
        expectAgreement(changed(other, structuredClone(second), document));
      }),
    );
  });
});
