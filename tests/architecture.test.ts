/** ARCHITECTURE.md is held to the tree: its paths exist, and its import table is the one that the sources obey. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { describe, expect, it } from "vitest";

const root = new URL("..", import.meta.url).pathname;
const page = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");
const SRC = "packages/core/src";

type Sources = ReadonlyMap<string, string>;

function sourcesBelow(folder: string): Sources {
  const found = new Map<string, string>();
  for (const name of readdirSync(join(root, folder))) {
    const path = posix.join(folder, name);
    if (statSync(join(root, path)).isDirectory()) {
      for (const [inner, text] of sourcesBelow(path)) found.set(inner, text);
    } else if (/\.[mc]?[tj]s$/.test(name) && !/\.(test|test-support|test-d)\.ts$/.test(name)) {
      found.set(path, readFileSync(join(root, path), "utf8"));
    }
  }
  return found;
}

/** Paths in backticks that look like one of ours. */
function pathsNamedIn(text: string): string[] {
  return [...text.matchAll(/`((?:packages|examples|tests|bench|scripts)\/[^`\s]+)`/g)].map(
    (match) => match[1] ?? "",
  );
}

function tableIn(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  const section = text.slice(text.indexOf("## Who may import whom"));
  const rows = [...section.matchAll(/^\|\s*([a-z]+)\s*\|([^|]*)\|$/gm)].filter((row) => row[1] !== "room");
  return new Map(
    rows.map((row) => [
      row[1] ?? "",
      new Set(
        (row[2] ?? "")
          .split(",")
          .map((name) => name.trim())
          .filter(Boolean),
      ),
    ]),
  );
}

/** `kinds/cors/compile.ts` is in the room `kinds`, `engine.ts` in `engine`. */
function roomOf(path: string): string {
  return (
    posix
      .relative(SRC, path)
      .split("/")[0]
      ?.replace(/\.[jt]s$/, "") ?? ""
  );
}

function importsOf(source: string): string[] {
  return [...source.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1] ?? "");
}

function violationsIn(sources: Sources, table: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const wrong: string[] = [];
  for (const [path, source] of sources) {
    const room = roomOf(path);
    const allowed = table.get(room);
    if (allowed === undefined) wrong.push(`${path}: the room \`${room}\` is not in the table`);
    for (const specifier of importsOf(source)) {
      const target =
        specifier === "#platform" ? `${SRC}/platform` : posix.join(posix.dirname(path), specifier);
      if (!specifier.startsWith(".") && specifier !== "#platform") {
        if (specifier.startsWith("node:") && !mayUseNode(path)) wrong.push(`${path} imports ${specifier}`);
        continue;
      }
      const to = roomOf(target);
      if (to === room) {
        if (room === "kinds" && kindOf(path) !== kindOf(target) && kindOf(path) !== undefined) {
          wrong.push(`${path} imports another kind: ${specifier}`);
        }
      } else if (allowed?.has(to) !== true) wrong.push(`${path} imports ${specifier}`);
    }
  }
  return wrong;
}

function kindOf(path: string): string | undefined {
  const parts = posix.relative(SRC, path).split("/");
  return parts.length > 2 ? parts[1] : undefined;
}

/** Browsers and workers have no `node:*`. */
function mayUseNode(path: string): boolean {
  const room = roomOf(path);
  return (
    ["node", "conformance", "testing"].includes(room) || posix.relative(SRC, path).startsWith("platform/node")
  );
}

/** Rows of the table of packages. */
function packagesIn(text: string): ReadonlyMap<string, readonly string[]> {
  const section = text.slice(text.indexOf("## Which package may import what"));
  const rows = [...section.matchAll(/^\|\s*([a-z-]+)\s*\|([^|]*)\|$/gm)].filter(
    ([, name]) => name !== "package" && !/^-+$/.test(name ?? ""),
  );
  return new Map(
    rows.map(([, name = "", allowed = ""]) => [
      name,
      allowed
        .split(",")
        .map((one) => one.trim())
        .filter(Boolean),
    ]),
  );
}

/** Imports that are there at run time: a declaration of types alone leaves nothing behind. */
function runtimeImportsOf(source: string): string[] {
  return importsOf(source.replaceAll(/\b(?:im|ex)port type [^;]*;/g, ""));
}

function packageViolationsIn(name: string, sources: Sources, allowed: readonly string[]): string[] {
  const wrong: string[] = [];
  for (const [path, source] of sources) {
    for (const specifier of runtimeImportsOf(source)) {
      const inside = specifier.startsWith(".")
        ? posix.join(posix.dirname(path), specifier).startsWith(`packages/${name}/src/`)
        : allowed.some((one) =>
            one === "node:*"
              ? specifier.startsWith("node:")
              : specifier === one || specifier.startsWith(`${one}/`),
          );
      if (!inside) wrong.push(`${path} imports ${specifier}`);
    }
  }
  return wrong;
}

describe("the table of packages", () => {
  const table = packagesIn(page);
  const others = readdirSync(join(root, "packages")).filter((name) => name !== "core");

  it("names every package but the core", () => {
    expect([...table.keys()].sort()).toEqual(others.sort());
  });

  it.each(others)("is obeyed by %s", (name) => {
    const sources = sourcesBelow(`packages/${name}/src`);
    expect(sources.size).toBeGreaterThan(0);
    expect(packageViolationsIn(name, sources, table.get(name) ?? [])).toEqual([]);
  });

  it("bites: planted imports are found, and types are none", () => {
    const planted = (source: string): string[] =>
      packageViolationsIn("adapter-fetch", new Map([["packages/adapter-fetch/src/x.ts", source]]), [
        "@gatehouse/core",
      ]);
    expect(planted('import { y } from "@gatehouse/core";')).toEqual([]);
    expect(planted('import type {\n  y,\n} from "hono";')).toEqual([]);
    expect(planted('import { y } from "./y.js";')).toEqual([]);
    expect(planted('import { y } from "node:http";')).toHaveLength(1);
    expect(planted('import { y } from "../../core/src/engine.js";')).toHaveLength(1);
    expect(planted('import { y } from "@gatehouse/core-of-evil";')).toHaveLength(1);
    expect(planted('const y = await import("hono");')).toHaveLength(1);
  });
});

describe("ARCHITECTURE.md", () => {
  const table = tableIn(page);
  const sources = sourcesBelow(SRC);

  it("names only paths that exist", () => {
    const named = pathsNamedIn(page);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it("names every room of the core", () => {
    const rooms = new Set([...sources.keys()].map(roomOf));
    expect([...rooms].filter((room) => !table.has(room))).toEqual([]);
    const folders = readdirSync(join(root, SRC)).filter((name) =>
      statSync(join(root, SRC, name)).isDirectory(),
    );
    expect(folders.filter((name) => !page.includes(`\`${SRC}/${name}\``))).toEqual([]);
  });

  it("has an import table that the sources obey", () => {
    expect(violationsIn(sources, table)).toEqual([]);
  });

  it("bites: a planted import is found", () => {
    const planted = (path: string, source: string): string[] =>
      violationsIn(new Map([[`${SRC}/${path}`, source]]), table);
    expect(planted("lib/x.ts", 'import { y } from "../errors/codes.js";')).toHaveLength(1);
    expect(planted("kinds/cors/x.ts", 'import type { y } from "../limit/compile.js";')).toHaveLength(1);
    expect(planted("kinds/cors/x.ts", 'import { y } from "./compile.js";')).toHaveLength(0);
    expect(planted("evaluate/x.ts", 'export { y } from "../kinds/cors/index.js";')).toHaveLength(1);
    expect(planted("conditions/x.ts", 'const y = await import("../kinds/limit/compile.js");')).toHaveLength(
      1,
    );
    expect(planted("normalize/x.ts", 'import { readFile } from "node:fs/promises";')).toHaveLength(1);
    expect(planted("compile/x.ts", 'import { platform } from "#platform";')).toHaveLength(1);
    expect(planted("attic/x.ts", "export {};")).toHaveLength(1);
  });

  it("bites: a path that is gone is found", () => {
    expect(pathsNamedIn("see `packages/core/src/gone.ts`")).toEqual(["packages/core/src/gone.ts"]);
    expect(existsSync(join(root, "packages/core/src/gone.ts"))).toBe(false);
  });
});

describe("what files of tests share", () => {
  const hooked = (files: Sources): string[] =>
    [...files].filter(([, text]) => /^(?:before|after)(?:Each|All)\(/m.test(text)).map(([path]) => path);

  it("registers no hook at its top: a worker runs it once, and the hook would be the first file's alone", () => {
    expect(hooked(sourcesBelow("tests"))).toEqual([]);
  });

  it("bites: such a hook is found", () => {
    expect(hooked(new Map([["tests/x.ts", "let x = 0;\nafterEach(() => (x = 0));"]]))).toEqual([
      "tests/x.ts",
    ]);
  });
});
