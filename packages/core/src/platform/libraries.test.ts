import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import * as node from "./node-libraries.js";
import * as portable from "./portable-libraries.js";

const root = new URL("../../../..", import.meta.url).pathname;

describe.each([
  ["on Node", node],
  ["elsewhere", portable],
])("libraries that are loaded when they are needed, %s", (_where, libraries) => {
  it("are what they are called", () => {
    const RE2 = libraries.linearPatterns();
    expect(RE2.compile(RE2.translateRegExp("^(a+)+$")).test("a".repeat(50))).toBe(true);
    expect(() => RE2.compile("(a)\\1")).toThrow("error parsing regexp");
    expect(libraries.jsonTree()('{ "a": 1 } // b', { mode: "jsonc" }).body.type).toBe("Object");
    const { parseDictionary, serializeDictionary } = libraries.structuredFields();
    expect(serializeDictionary(parseDictionary("a=1,b;c=:YQ==:"))).toBe("a=1, b;c=:YQ==:");
  });

  it("are loaded once", () => {
    expect(libraries.structuredFields()).toBe(libraries.structuredFields());
    expect(libraries.linearPatterns()).toBe(libraries.linearPatterns());
    expect(libraries.jsonTree()).toBe(libraries.jsonTree());
  });
});

describe("a bundle that took the half for Node", () => {
  const MEND = "bundle it with the condition `module` beside your own";
  const source = new URL("node-libraries.ts", import.meta.url).pathname;

  async function run(folder: string, format: "esm" | "cjs"): Promise<string> {
    const outfile = join(folder, format === "esm" ? "server.mjs" : "server.cjs");
    const used = `import { jsonTree } from ${JSON.stringify(source)};\nconsole.log(typeof jsonTree());`;
    const stdin = { contents: used, resolveDir: folder };
    await build({ stdin, bundle: true, format, platform: "node", outfile, logLevel: "silent" });
    const { stdout, stderr } = spawnSync(process.execPath, [outfile], { encoding: "utf8" });
    return stdout + stderr;
  }

  it.each(["esm", "cjs"] as const)("says at its start that libraries are missing, %s", async (format) => {
    const alone = mkdtempSync(join(tmpdir(), "gatehouse-bundle-"));
    try {
      const said = await run(alone, format);
      expect(said).toContain(MEND);
      expect(said).not.toContain("function");
    } finally {
      rmSync(alone, { recursive: true });
    }
  });

  it("runs beside what is installed", async () => {
    const beside = mkdtempSync(join(root, "node_modules/.gatehouse-bundle-"));
    try {
      expect(await run(beside, "esm")).toBe("function\n");
    } finally {
      rmSync(beside, { recursive: true });
    }
  });
});

it("both halves have the same", () => {
  expect(Object.keys(node).sort()).toEqual(Object.keys(portable).sort());
});
