/** All case files of the core, by their path. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { CaseFile } from "@gatehouse/core/conformance";

const SOURCES = new URL("../../packages/core/src/", import.meta.url).pathname;

export const caseFiles: readonly (readonly [path: string, file: CaseFile])[] = readdirSync(SOURCES, {
  recursive: true,
  encoding: "utf8",
})
  .filter((path) => path.endsWith("cases.json"))
  .sort()
  .map((path) => [path, JSON.parse(readFileSync(join(SOURCES, path), "utf8")) as CaseFile]);
