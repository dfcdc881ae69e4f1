/** Whoever asks for help waits for no engine: each command's work is loaded when it is run. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { commandUnderTest } from "./support.js";

const { run, folder } = commandUnderTest();
const hook = new URL("../consumers/hook.mjs", import.meta.url).href;
const POLICY = '{ "gatehouse": 1, "name": "a", "routes": { "GET /": { "authenticate": "none" } } }';

/** Packages and our own modules beyond the first, as URLs. */
function loadedBy(
  args: readonly string[],
  input?: string,
): { readonly code: number | null; readonly urls: string } {
  const log = join(folder(), "loaded.txt");
  writeFileSync(log, "");
  const { code } = run(args, {
    node: ["--import", hook],
    env: { GATEHOUSE_LOADED: log },
    ...(input === undefined ? {} : { input }),
  });
  return { code, urls: readFileSync(log, "utf8") };
}

/** Any package but ours, and the engine. The bundle under test stands below node_modules itself. */
const HEAVY = /\/node_modules\/(?!\.cache\/|gatehouse\/)|\/packages\/core\//u;

it.each([
  [["--help"]],
  [["--version"]],
  [["help", "audit"]],
  [["completion", "bash"]],
  ...[
    "audit",
    "bundle",
    "check",
    "completion",
    "diff",
    "doctor",
    "explain",
    "init",
    "key",
    "matrix",
    "openapi",
    "probe",
    "test",
  ].map((name) => [[name, "--help"]]),
])("loads neither engine nor its packages for %j", (args) => {
  const { code, urls } = loadedBy(args);
  expect(code).toBe(0);
  expect(urls).toContain("bin.");
  expect(urls.split("\n").filter((url) => HEAVY.test(url))).toEqual([]);
});

it("bites: a command that works loads them", () => {
  const { code, urls } = loadedBy(["check", "-"], POLICY);
  expect(code).toBe(0);
  expect(urls).toMatch(HEAVY);
  expect(urls).toMatch(/\/node_modules\/@humanwhocodes\/momoa\//u);
});
