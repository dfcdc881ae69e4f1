// What was measured, to the last digit: Node, the machine, and every package that bench depends on.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, release, totalmem, type } from "node:os";
import { join } from "node:path";

const require = createRequire(import.meta.url);

export function versions() {
  const { dependencies, devDependencies } = manifest(new URL("../package.json", import.meta.url));
  const names = Object.keys({ ...dependencies, ...devDependencies }).sort();
  return Object.fromEntries(names.map((name) => [name, versionOf(name)]));
}

export function machine() {
  const all = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return {
    node: process.version,
    cores: all.length,
    cpu: all[0]?.model.trim() ?? "unknown",
    memory,
    system: `${type()} ${release()}`,
  };
}

/** Not every package exports its `package.json`, so it is looked up where Node would look for the package. */
function versionOf(name) {
  for (const folder of require.resolve.paths(name)) {
    try {
      return manifest(join(folder, name, "package.json")).version;
    } catch {
      // Not in this one.
    }
  }
  throw new Error(`${name} is not installed`);
}

const manifest = (path) => JSON.parse(readFileSync(path, "utf8"));
