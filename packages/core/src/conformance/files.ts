/** The published cases: beside the sources in the repository, under `dist/cases` in the package. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CaseFile } from "./case.js";

export interface NamedCaseFile {
  /** Such as `kinds/limit/cases.json`. */
  readonly path: string;
  readonly file: CaseFile;
}

/** Every case file, by path. */
export function caseFiles(): readonly NamedCaseFile[] {
  const built = fileURLToPath(new URL("../cases/", import.meta.url));
  const folder = existsSync(built) ? built : fileURLToPath(new URL("..", import.meta.url));
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path === "cases.json" || path.endsWith("/cases.json"))
    .sort()
    .map((path) => ({ path, file: JSON.parse(readFileSync(join(folder, path), "utf8")) as CaseFile }));
}
