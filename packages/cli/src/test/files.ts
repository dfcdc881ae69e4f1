/** Which files of policy tests are meant: named, found by a pattern, or below a folder. */
import { readdir, stat } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import { UsageError } from "../cli/io.js";

const ENDING = ".policy-test.json";

/**
 * @param wanted paths, folders, or patterns with `*`, `**` and `?`; empty: everything below the working directory
 * @returns paths relative to the working directory where they lie below it, each once, in order of their names
 * @throws UsageError (rejects) for one that leads to no file of tests
 */
export async function findTestFiles(wanted: readonly string[], folder = "."): Promise<readonly string[]> {
  if (wanted.length === 0) {
    const found = await below(folder, isTestFile);
    if (found.length > 0) return inOrder(found);
    throw new UsageError(
      "there is no file of policy tests below this folder",
      "their names end in `.policy-test.json`; name one, or a folder",
    );
  }
  const found: string[] = [];
  for (const one of wanted) found.push(...(await filesOf(one, folder)));
  return inOrder(found);
}

async function filesOf(wanted: string, folder: string): Promise<readonly string[]> {
  const path = join(folder, wanted);
  const kind = await kindOf(path);
  // A name that has such characters is that file all the same.
  if (kind === "file") return [path];
  if (kind === "folder") {
    const found = await below(path, isTestFile);
    if (found.length > 0) return found;
    throw new UsageError(
      `there is no file of policy tests below \`${wanted}\``,
      "their names end in `.policy-test.json`",
    );
  }
  if (!/[*?]/u.test(wanted)) throw new UsageError(`\`${wanted}\` cannot be read: there is no such file`);
  const base = wanted.split(/[*?]/u, 1)[0]?.replace(/[^/]*$/u, "") ?? "";
  const pattern = patternOf(wanted);
  const root = join(folder, base);
  const found =
    (await kindOf(root)) === "folder"
      ? await below(root, (one) => pattern.test(relative(folder, one).split(sep).join("/")))
      : [];
  if (found.length === 0) throw new UsageError(`\`${wanted}\` matches no file`);
  return found;
}

async function kindOf(path: string): Promise<"file" | "folder" | undefined> {
  try {
    return (await stat(path)).isDirectory() ? "folder" : "file";
  } catch {
    return undefined;
  }
}

function isTestFile(path: string): boolean {
  return path.endsWith(ENDING);
}

/** Neither what others wrote (`node_modules`) nor what is hidden. */
async function below(folder: string, wanted: (path: string) => boolean): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (entry.name !== "node_modules" && !entry.name.startsWith("."))
        found.push(...(await below(path, wanted)));
    } else if (wanted(path)) found.push(path);
  }
  return found;
}

/** `**` crosses folders, `*` and `?` do not. */
function patternOf(glob: string): RegExp {
  const normal = glob.replace(/^\.\//u, "");
  const source = normal.replaceAll(/\*\*\/|\*\*|\*|\?|[$()+.[\\\]^{|}]/gu, (found) => {
    if (found === "**/") return "(?:.*/)?";
    if (found === "**") return ".*";
    if (found === "*") return "[^/]*";
    return found === "?" ? "[^/]" : `\\${found}`;
  });
  return new RegExp(`^${source}$`, "u");
}

function inOrder(paths: readonly string[]): readonly string[] {
  const byPlace = new Map(paths.map((path) => [resolve(path), path]));
  return [...byPlace.values()].sort();
}
