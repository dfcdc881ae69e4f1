/** Documents that are meant to do harm, and those that two readers would read differently. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { policyFromOpenApi } from "../init/from-openapi.js";
import { OpenApiError, readSource } from "./source.js";

function refusal(text: string): string {
  try {
    readSource(text, "api.yaml");
  } catch (error) {
    if (error instanceof OpenApiError) return error.message;
    throw error;
  }
  return "";
}

const LINES = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join("\n");

const BOMB = LINES(
  12,
  (i) =>
    `a${i}: &a${i} [${Array(9)
      .fill(i === 0 ? "x" : `*a${i - 1}`)
      .join(", ")}]`,
);

describe("readSource", () => {
  it.each([
    ["JSON with tabs", '{\n\t"a":\t[1]\n}', { a: [1] }],
    ["JSON behind a byte order mark", '\uFEFF{"a":1}', { a: 1 }],
    ["YAML with keys that look like numbers", "200: x\ntrue: y", { "200": "x", true: "y" }],
    ["YAML with aliases and merges", "a: &a {x: 1}\nb: {<<: *a, y: 2}", { a: { x: 1 }, b: { x: 1, y: 2 } }],
    [
      "YAML whose words are texts in 1.2",
      "a: yes\nb: 2020-01-01\nc: 0o17",
      { a: "yes", b: "2020-01-01", c: 15 },
    ],
    [
      "keys that other keys' values spell",
      '{"a":"\\"b\\":","b":[{"a":1},{"a":2}]}',
      { a: '"b":', b: [{ a: 1 }, { a: 2 }] },
    ],
  ])("reads %s", (_name, text, value) => {
    expect(readSource(text, "api.yaml")).toEqual(value);
  });

  it.each([
    ["a key twice in JSON", '{"a":{"b":1,"b":2}}', "the key `b` stands twice in one object"],
    ["a key twice, once escaped", String.raw`{"a":1,"\u0061":2}`, "the key `a` stands twice in one object"],
    ["a key twice in YAML", "a: 1\na: 2", "the key `a` stands twice in one object"],
    ["`__proto__` in JSON", '{"a":{"__proto__":{"x":1}}}', "the document has the key `__proto__`"],
    ["`__proto__` in YAML", "__proto__: {x: 1}", "the document has the key `__proto__`"],
    [
      "a second document",
      "a: 1\n---\nb: 2",
      "it is neither JSON nor YAML: Source contains multiple documents",
    ],
    ["a tag of code", 'a: !!js/function "x"', "it is neither JSON nor YAML: Unresolved tag"],
    ["keys that are no texts", "? [a]\n: 1", "it is neither JSON nor YAML: With stringKeys"],
    ["a bomb of aliases", BOMB, "it cannot be read as YAML: it nests too deep, or repeats itself too often"],
    ["an alias of itself", "a: &a [*a]", "the document nests more than 128 levels deep"],
    [
      "many aliases",
      `a: &a 1\n${LINES(1_001, (i) => `b${i}: *a`)}`,
      "the document has more than 1000 aliases",
    ],
    ["deep YAML", `{"a":`.repeat(5_000), "it is neither JSON nor YAML"],
    ["deep JSON", "[".repeat(5_000) + "]".repeat(5_000), "the document nests more than 128 levels deep"],
    ["many values", `[${"1,".repeat(1_000_000)}1]`, "the document has more than 1000000 values"],
    ["long text", `{"a":"${"x".repeat(8_400_000)}"}`, "the document has more than 8388608 characters"],
    ["long YAML", `a: ${"x".repeat(4_300_000)}`, "the document has more than 4194304 characters"],
  ])("refuses %s", (_name, text, message) => {
    expect(refusal(text)).toContain(message);
  });

  it("reads many keys without comparing each with all", () => {
    expect(
      Object.keys(
        readSource(
          LINES(20_000, (i) => `k${i}: 1`),
          "api.yaml",
        ) as object,
      ),
    ).toHaveLength(20_000);
  });
});

const API = (paths: string, more = ""): string =>
  `openapi: 3.1.0\ninfo: {title: t, version: "1"}\npaths:\n${paths}\n${more}`;
const REFERENCE = (reference: string): string =>
  API(
    `  /a:\n    get:\n      security: []\n      responses: {"200": {description: d, content: {application/json: {schema: {$ref: "${reference}"}}}}}`,
  );

async function why(text: string, file?: string): Promise<string> {
  try {
    await policyFromOpenApi(text, { file });
  } catch (error) {
    if (error instanceof OpenApiError) return error.message;
    throw error;
  }
  return "";
}

describe("references", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "gatehouse-openapi-"));
    mkdirSync(join(folder, "api/parts"), { recursive: true });
    writeFileSync(join(folder, "outside.yaml"), "type: string\n");
    writeFileSync(join(folder, "api/notes.txt"), "type: string\n");
    writeFileSync(
      join(folder, "api/parts/node.yaml"),
      'type: object\nproperties: {next: {$ref: "#"}, id: {$ref: "./id.json"}}\n',
    );
    writeFileSync(join(folder, "api/parts/id.json"), '{"type":"string","maxLength":9}');
    symlinkSync(join(folder, "outside.yaml"), join(folder, "api/link.yaml"));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const api = (): string => join(folder, "api/openapi.yaml");

  it.each([
    "https://example.com/schema.json",
    "//example.com/schema.json#/a",
    "file:///etc/passwd",
    "/etc/passwd.json",
    String.raw`\\\\server\\share.json`,
    "data:application/json,{}",
  ])("fetches nothing: %s", async (reference) => {
    expect(await why(REFERENCE(reference), api())).toContain("leads elsewhere, and nothing is fetched");
  });

  it.each(["../outside.yaml", "link.yaml", "%2e%2e/outside.yaml", "parts/../../outside.yaml", "notes.txt"])(
    "reads nothing outside of the document's folder: %s",
    async (reference) => {
      expect(await why(REFERENCE(reference), api())).toContain("leads out of the document's folder");
    },
  );

  it("reads no file for a document that is none", async () => {
    expect(await why(REFERENCE("parts/id.json"))).toContain("leads out of the document's folder");
  });

  it("tells of a file that is not there, and of places that are not", async () => {
    expect(await why(REFERENCE("none.yaml"), api())).toContain("leads to a file that cannot be read");
    expect(await why(REFERENCE("#/components/schemas/None"))).toContain("leads to nothing");
    expect(await why(REFERENCE("#/constructor"))).toContain("leads to nothing");
    expect(await why(REFERENCE("#Name"))).toContain("leads to nothing");
  });

  it("follows files, and schemas that hold themselves", async () => {
    const { text } = await policyFromOpenApi(REFERENCE("parts/node.yaml"), { file: api() });
    expect(text).toContain('"next": { "$ref": "#/schemas/node" }');
    expect(text).toContain('"id": { "type": "string", "maxLength": 9 }');
  });

  it("is not led in circles", async () => {
    const circle = API(
      '  /a: {get: {security: [], parameters: [{$ref: "#/components/parameters/A"}]}}',
      'components: {parameters: {A: {$ref: "#/components/parameters/B"}, B: {$ref: "#/components/parameters/A"}}}',
    );
    expect(await why(circle)).toContain("leads in a circle");
  });
});

describe("what is no document", () => {
  it.each([
    ["swagger: '2.0'", "it is of Swagger 2.0"],
    ["openapi: 3.2.0", "it is of a version of OpenAPI that is not read"],
    ["openapi: 3.1", "it is no OpenAPI document: it has no text `openapi`"],
    ["- 1", "it is no OpenAPI document: it has no text `openapi`"],
    ["", "it is no OpenAPI document: it has no text `openapi`"],
  ])("%s", async (text, message) => {
    expect(await why(text)).toContain(message);
  });
});
