import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ERRORS } from "./codes.js";
import { DIAGNOSTIC_CODES } from "./diagnostic-codes.js";

const root = new URL("..", import.meta.url).pathname;

function sourcesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    // The validators of `schemas` speak of rules that a caller broke, `testing` of a file of tests: never of a policy.
    if (entry.isDirectory())
      return ["conformance", "schemas", "testing"].includes(entry.name) ? [] : sourcesBelow(path);
    return /(?<!\.test|\.test-support|\.gen)\.ts$/.test(path) && !path.endsWith("diagnostic-codes.ts")
      ? [path]
      : [];
  });
}

const texts = new Map(sourcesBelow("").map((path) => [path, readFileSync(join(root, path), "utf8")]));

/** First arguments of whatever reports, and members called `code` that are no error codes of answers. */
function codesIn(text: string): string[] {
  const called = text.matchAll(
    /\b(?:error|warn|once|fail|unknownName)\(\s*(?:\w+,\s*)?"([a-z]+(?:-[a-z]+)*)",/g,
  );
  const named = text.matchAll(/\bcode: "([a-z]+(?:-[a-z]+)*)"/g);
  return [...called, ...named].map((match) => match[1] ?? "").filter((code) => !Object.hasOwn(ERRORS, code));
}

describe("the table of diagnostic codes", () => {
  it("has every code that the sources use", () => {
    const used = [...texts].flatMap(([path, text]) => codesIn(text).map((code) => `${code} (${path})`));
    expect(used.length).toBeGreaterThan(100);
    expect(used.filter((entry) => !Object.hasOwn(DIAGNOSTIC_CODES, entry.split(" ")[0] ?? ""))).toEqual([]);
  });

  it("has no code that no source uses", () => {
    const all = [...texts.values()].join("\n");
    expect(Object.keys(DIAGNOSTIC_CODES).filter((code) => !all.includes(`"${code}"`))).toEqual([]);
  });

  it("says each in one sentence", () => {
    expect(
      Object.entries(DIAGNOSTIC_CODES).filter(([, meaning]) => !/^[A-Z`].*[^.]\.$/.test(meaning)),
    ).toEqual([]);
  });
});
