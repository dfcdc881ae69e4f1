/** The editors' schema of policy tests and the runner's rules say the same, at every place of the example's tests. */
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { checkRule } from "../compile/shape.js";
import { Report } from "../errors/diagnostics.js";
import { parsePointer, pointerTo, valueAt } from "../lib/pointer.js";
import { TEST_RULES } from "./test-rules.gen.js";

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
const valid = new Ajv2020({ strict: false, logger: false }).compile(
  JSON.parse(read("../../policy-test.schema.json")) as object,
);

/** One of each kind of place. */
const sample: Json = {
  $schema: "x",
  about: "x",
  policy: "p.json",
  at: "2026-06-01",
  people: {
    ann: { about: "x", authenticator: "user", id: "a", roles: ["x"], scopes: ["x"], attributes: { a: 1 }, claims: { a: 1 }, header: { a: 1 }, expires: "-1m", forged: true, routes: ["x"] },
    bob: { credentials: { user: { id: "b" } } },
  },
  checks: { a: true, b: "throws", c: [{ principal: "x", params: { id: 1 } }] },
  authenticators: { a: "throws" },
  lookups: { a: "throws" },
  secrets: { "env:A": "x" },
  requests: { host: "h", https: true, ip: "::1", headers: { a: "x", b: ["x"] } },
  tests: [
    {
      name: "one", at: "2026-06-01T12:00:00Z", checks: { a: false }, authenticators: { a: "throws" }, lookups: { a: "throws" }, wait: "1s", as: "ann",
      request: { method: "GET", target: "/", query: { a: ["x"] }, headers: { a: "x" }, cookies: { a: "x" }, body: 1, text: "x", base64: "x", host: "h", https: false, ip: "x", httpVersion: "1.0", upgrade: true, tls: { protocol: "TLSv1.2", cipher: "x", clientCertificate: { subject: "CN=x", subjectAltNames: ["DNS:x"], fingerprint256: "0".repeat(64), validFrom: "2026-01-01", validTo: "2027-01-01" } } },
      answer: { status: 200, headers: { a: "x" }, body: 1, text: "x", throws: "x" },
      expect: { outcome: "admit", stage: "x", code: "x", status: 200, route: "x", rule: "/a", concealed: "x", headers: { a: "x", b: null, c: { contains: "x" } }, body: 1, text: "x", members: { "/a": 1 }, absent: ["/a"], withheld: ["x"], errors: [{ pointer: "/a", rule: "x" }], observed: ["x"], handler: { principal: { id: "x" }, params: {}, query: {}, headers: {}, cookies: {}, body: 1 } },
    },
    { name: "two", steps: [{ wait: "1s", release: "x", as: { authenticator: "x" }, request: "GET /", hold: "x", repeat: 2, expect: { route: null, concealed: false, handler: { principal: null } } }] },
  ],
}; // oxfmt-ignore

function pointersOf(value: Json, pointer = ""): string[] {
  if (typeof value !== "object" || value === null) return [pointer];
  return [
    pointer,
    ...Object.entries(value).flatMap(([key, inner]) => pointersOf(inner, pointerTo(pointer, key))),
  ];
}

function changed(pointer: string, value: Json | undefined): Json | undefined {
  const document = structuredClone(sample);
  const segments = parsePointer(pointer) ?? [];
  const key = segments.at(-1);
  if (key === undefined) return value;
  const parent = valueAt(document, segments.slice(0, -1));
  if (typeof parent !== "object" || parent === null) return document;
  if (value === undefined) Reflect.deleteProperty(parent, key);
  else Reflect.set(parent, key, value);
  return document;
}

function problemsOf(document: Json | undefined): Report["diagnostics"] {
  const report = new Report();
  checkRule(document, { ref: "root" }, "", report, TEST_RULES);
  return report.diagnostics;
}

const VALUES: readonly (Json | undefined)[] = [
  undefined, null, true, false, -1, 0, 1, 1.5, 99, 100, 200, 599, 600, 100_001, "", "x", "GET /", "/a", "a b c", "~", "1s", "-1s", "throws",
  "admit", "2026-06-01", "2026-06-01T00:00:00Z", "1.1", [], {}, ["x"], [1], [""], { a: 1 }, { a: "x" }, { contains: "x" }, { contains: "" },
  { contains: "x", more: 1 }, { principal: "x" }, { pointer: "/a", rule: "x" }, [{ pointer: "/a" }], { target: "/" }, { name: "x" },
]; // oxfmt-ignore

describe("the schema of policy tests", () => {
  const pointers = pointersOf(sample);

  it("admits the sample, as the rules do", () => {
    expect([problemsOf(sample), valid(sample)]).toEqual([[], true]);
    expect(pointers.length).toBeGreaterThan(100);
  });

  it("agrees with the rules on every value at every pointer", () => {
    for (const pointer of pointers) {
      for (const value of VALUES) {
        const document = changed(pointer, structuredClone(value));
        const problems = problemsOf(document);
        if ((problems.length === 0) !== valid(document))
          expect([pointer, value, problems, valid.errors]).toBe("agreed on");
      }
    }
  });

  it("refuses an unknown key in every object that is not the author's own", () => {
    const own =
      /\/(people|checks|authenticators|lookups|secrets|credentials|attributes|claims|header|headers|params|query|cookies|principal|members)$|\/handler\/(headers|cookies)$/u;
    const objects = pointers.filter((pointer) => {
      const value = valueAt(sample, parsePointer(pointer) ?? []);
      return typeof value === "object" && value !== null && !Array.isArray(value) && !own.test(pointer);
    });
    expect(objects.length).toBeGreaterThan(15);
    const passed = objects.filter((pointer) => {
      const place = pointerTo(pointer, "protectd");
      return !problemsOf(changed(place, 1)).some(
        (problem) => problem.pointer === place && problem.code === "unknown-key",
      );
    });
    expect(passed).toEqual([]);
  });
});
