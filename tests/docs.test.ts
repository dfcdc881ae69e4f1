/** The reference is held to what it is about: tables of codes from both sides, samples that compile, keys, stages, links. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { checkPolicy, ERRORS, parsePolicy, STAGES } from "@gatehouse/core";
import { readPolicyTests, runPolicyTests } from "@gatehouse/core/testing";
import { describe, expect, it } from "vitest";
import { htmlProfiles } from "../packages/core/src/kinds/sanitize/profiles.js";
import { ATTRIBUTES, TAGS, URL_ATTRIBUTES } from "../packages/core/src/lib/html-vocabulary.js";
import { DIAGNOSTIC_CODES } from "../packages/core/src/errors/diagnostic-codes.js";

const root = new URL("..", import.meta.url).pathname;
const read = (path: string): string => readFileSync(join(root, path), "utf8");

const references = readdirSync(join(root, "docs"))
  .filter((name) => name.endsWith(".md"))
  .map((name) => `docs/${name}`);
const packages = readdirSync(join(root, "packages")).map((name) => `packages/${name}/README.md`);
const pages = ["README.md", "CONTRIBUTING.md", "SECURITY.md", ...references, ...packages].filter((path) =>
  existsSync(join(root, path)),
);

/** Cells of every row whose first cell is one word in backticks. */
function rowsOf(text: string): string[][] {
  return text
    .split("\n")
    .filter((line) => /^\| `[a-z0-9-]+` /.test(line))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
    .map(([first = "", ...cells]) => [first.slice(1, -1), ...cells]);
}

/** Whole documents in fenced blocks. */
function policiesIn(text: string): string[] {
  return [...text.matchAll(/^```jsonc?\n([^]*?)^```/gm)]
    .map((match) => match[1] ?? "")
    .filter((block) => /"gatehouse"\s*:\s*1/.test(block) && !isTestFile(block));
}

/** A file of tests, with its policy in it. */
function isTestFile(block: string): boolean {
  return /^ {2}"tests": \[/m.test(block);
}

/** First arguments of whatever reports a problem of policy tests. */
function testCodes(): ReadonlySet<string> {
  const folder = "packages/core/src/testing";
  const sources = readdirSync(join(root, folder)).filter((name) => /^[a-z-]+\.ts$/.test(name));
  return new Set(
    sources.flatMap((name) =>
      [...read(`${folder}/${name}`).matchAll(/\berror\(\s*"([a-z-]+)"/g)].map((match) => match[1] ?? ""),
    ),
  );
}

function errorsOf(policy: string): string[] {
  return checkPolicy(parsePolicy(policy))
    .filter(({ severity }) => severity === "error")
    .map(({ code, pointer, message }) => `${code} ${pointer}: ${message}`);
}

/** What stands in backticks or in a fenced block, word by word. */
function wordsOfCode(text: string): ReadonlySet<string> {
  const spans = [...text.matchAll(/^```[^]*?^```|`[^`\n]+`/gm)].map((match) => match[0]);
  return new Set(spans.flatMap((span) => span.split(/[^\w$-]+/)));
}

/** Keys and texts of enumerations, wherever the schema has them. */
function vocabularyOf(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(vocabularyOf);
  if (typeof node !== "object" || node === null) return [];
  const { properties, enum: values, ...rest } = node as Record<string, unknown>;
  const keys = typeof properties === "object" && properties !== null ? Object.keys(properties) : [];
  const texts = Array.isArray(values) ? values.filter((value) => typeof value === "string") : [];
  return [
    ...keys,
    ...texts,
    ...vocabularyOf(Object.values(properties ?? {})),
    ...vocabularyOf(Object.values(rest)),
  ];
}

function unnamed(vocabulary: readonly string[], page: string): string[] {
  const named = wordsOfCode(page);
  return [...new Set(vocabulary)].filter((word) => !named.has(word));
}

/** As the pages' host makes anchors of headings. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = text.replaceAll(/^```[^]*?^```/gm, "").matchAll(/^#+ (.+)$/gm);
  return new Set(
    Array.from(headings, ([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, "")
        .replaceAll(" ", "-"),
    ),
  );
}

/** Relative links that lead to no file, or to no heading of it. */
function brokenLinks(page: string, text: string): string[] {
  return [...text.replaceAll(/^```[^]*?^```/gm, "").matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? "")
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [path = "", anchor] = link.split("#");
      if (path === "") return !anchorsOf(text).has(anchor ?? "");
      const target = join(dirname(page), path);
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && !anchorsOf(read(target)).has(anchor);
    });
}

describe("docs/errors.md", () => {
  const rows = rowsOf(read("docs/errors.md"));

  it("has every code with its status and title, and no other", () => {
    const written = rows.map(([code, status, title]) => [code, Number(status), title]);
    const known = Object.entries(ERRORS).map(([code, { status, title }]) => [code, status, title]);
    expect(written).toEqual(known);
  });

  it("names only stages that there are", () => {
    const stages = new Set<string>(STAGES);
    const named = rows.flatMap(([, , , stage = ""]) =>
      [...stage.matchAll(/`([^`]+)`/g)].map((match) => match[1]),
    );
    expect(named.length).toBeGreaterThan(40);
    expect(named.filter((stage) => !stages.has(stage ?? ""))).toEqual([]);
  });
});

describe("docs/diagnostics.md", () => {
  it("has every code with its meaning, and no other", () => {
    const written = rowsOf(read("docs/diagnostics.md"));
    expect(written.map(([code, meaning]) => [code, meaning])).toEqual(Object.entries(DIAGNOSTIC_CODES));
    expect(written.filter(([, , mend]) => !/^[A-Z`].*\.$/.test(mend ?? ""))).toEqual([]);
  });
});

describe("docs/policy.md", () => {
  const page = read("docs/policy.md");
  const language = vocabularyOf(JSON.parse(read("packages/core/policy.schema.json")));

  it("names every key and every word of the language", () => {
    expect(language.length).toBeGreaterThan(200);
    expect(unnamed(language, page)).toEqual([]);
  });

  it("has the stages in their order", () => {
    const section = page.slice(page.indexOf("\n## The stages"), page.indexOf("\n## Normalization"));
    expect(rowsOf(section).map(([stage]) => stage)).toEqual([...STAGES]);
  });

  it("lists the HTML that a profile may name, and the HTML of `html`", () => {
    /** Names in backticks between two pieces of text. */
    const listed = (from: string, to: string): string[] => {
      const start = page.indexOf(from) + from.length;
      return [...page.slice(start, page.indexOf(to, start)).matchAll(/`([^`]+)`/g)].map(
        (match) => match[1] ?? "",
      );
    };
    const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();
    expect(listed("A profile may name these elements: ", ".\n")).toEqual(sorted(TAGS));
    expect(listed("And these attributes: ", "; of those")).toEqual(sorted(ATTRIBUTES));
    expect(listed("; of those ", " are URLs")).toEqual(sorted(URL_ATTRIBUTES));
    const html = htmlProfiles({ gatehouse: 1, name: "x", routes: {} }).get("html");
    expect(listed("`html` lets through these elements: ", "; and")).toEqual(sorted(html?.tags ?? []));
    const attributes = Object.entries(html?.attributes ?? {});
    expect(listed("; and of their attributes ", ".\n")).toEqual(
      attributes.flatMap(([tag, names]) => names.map((name) => `${tag} ${name}`)).sort(),
    );
  });

  it("names only codes that there are", () => {
    const statuses = [...page.matchAll(/\b[45]\d\d `([a-z]+(?:-[a-z]+)*)`/g)].map((match) => match[1] ?? "");
    expect(statuses.length).toBeGreaterThan(20);
    expect(statuses.filter((code) => !Object.hasOwn(ERRORS, code))).toEqual([]);
  });
});

describe("docs/testing.md", () => {
  const page = read("docs/testing.md");
  const language = vocabularyOf(JSON.parse(read("packages/core/policy-test.schema.json"))).filter((word) =>
    /^[$a-z][^.]*$/i.test(word),
  );

  it("names every key and every word of policy tests", () => {
    expect(language.length).toBeGreaterThan(80);
    expect(unnamed(language, page)).toEqual([]);
  });

  it("has every code that is not one of a policy's, and no other", () => {
    const written = rowsOf(page.slice(page.indexOf("\n### What is refused"), page.indexOf("\n## Running")));
    const used = testCodes();
    expect(used.size).toBeGreaterThan(8);
    expect(
      [...used].filter(
        (code) => !written.some(([name]) => name === code) && !Object.hasOwn(DIAGNOSTIC_CODES, code),
      ),
    ).toEqual([]);
    expect(written.map(([code = ""]) => code).filter((code) => !used.has(code))).toEqual([]);
  });

  it("has samples that pass as they are written", async () => {
    const samples = [...page.matchAll(/^```jsonc\n([^]*?)^```/gm)]
      .map((match) => match[1] ?? "")
      .filter(isTestFile);
    expect(samples).toHaveLength(1);
    const folder = mkdtempSync(join(tmpdir(), "gatehouse-docs-"));
    try {
      const path = join(folder, "sample.policy-test.json");
      writeFileSync(path, samples.join(""));
      const { tests } = await runPolicyTests(await readPolicyTests(path));
      expect(tests.flatMap(({ failures }) => failures.map(({ message }) => message))).toEqual([]);
      expect(tests.length).toBe(4);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("samples", () => {
  const samples = pages.flatMap((path) =>
    policiesIn(read(path)).map((policy, index) => ({ name: `${path} ${index + 1}`, policy })),
  );

  it("are there", () => {
    expect(samples.map(({ name }) => name)).toContain("docs/policy.md 1");
    expect(samples.map(({ name }) => name)).toContain("README.md 1");
  });

  it.each(samples)("$name compiles", ({ policy }) => {
    expect(errorsOf(policy)).toEqual([]);
  });
});

describe("links", () => {
  it.each(pages)("of %s lead somewhere", (path) => {
    expect(brokenLinks(path, read(path))).toEqual([]);
  });
});

describe("what holds the pages", () => {
  it("bites: an unnamed key, a broken sample, a dead link, a missing row are found", () => {
    expect(unnamed(["window", "windw"], "`window` and windw")).toEqual(["windw"]);
    expect(
      policiesIn('```json\n{ "gatehouse": 1, "name": "x", "rutes": {} }\n```\n').flatMap(errorsOf),
    ).toEqual(["missing-key : `routes` is missing", "unknown-key /rutes: unknown key `rutes`"]);
    expect(brokenLinks("docs/x.md", "# Here\n[a](gone.md) [b](#here) [c](#there) [d](../README.md)")).toEqual(
      ["gone.md", "#there"],
    );
    expect(rowsOf("| `a-b` | 1 |\n| other | 2 |")).toEqual([["a-b", "1"]]);
  });
});
