import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { findTestFiles } from "./files.js";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "gatehouse-files-"));
  for (const below of ["a/b", "node_modules/x", ".hidden", "empty"])
    mkdirSync(join(folder, below), { recursive: true });
  for (const name of ["one", "a/two", "a/b/three", "node_modules/x/no", ".hidden/no"])
    writeFileSync(join(folder, `${name}.policy-test.json`), "{}");
  writeFileSync(join(folder, "other.json"), "{}");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const found = async (...wanted: readonly string[]): Promise<string[]> =>
  (await findTestFiles(wanted, folder)).map((path) =>
    path.slice(folder.length + 1).replace(".policy-test.json", ""),
  );

it("finds files below the folder, in what is named, and by patterns, each once", async () => {
  expect(await found()).toEqual(["a/b/three", "a/two", "one"]);
  expect(await found("a")).toEqual(["a/b/three", "a/two"]);
  expect(await found("other.json")).toEqual(["other.json"]);
  expect(await found("*.policy-test.json")).toEqual(["one"]);
  expect(await found("./a/*.policy-test.json", "a/two.policy-test.json")).toEqual(["a/two"]);
  expect(await found("**/*.policy-test.json")).toEqual(["a/b/three", "a/two", "one"]);
  expect(await found("?ne.policy-test.json")).toEqual(["one"]);
});

it.each([
  ["gone.json", "`gone.json` cannot be read: there is no such file"],
  ["empty", "there is no file of policy tests below `empty`"],
  ["nothing/*.json", "`nothing/*.json` matches no file"],
])("tells that %s leads nowhere", async (wanted, message) => {
  await expect(found(wanted)).rejects.toThrow(message);
});
