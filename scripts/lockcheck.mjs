// Some registries lack a platform package of a fresh release. `npm install` then leaves it out of the lock without
// a word, and the next `npm ci`, on somebody else's clone, fails. A host in the lock would tie clones to one registry.
import { readFileSync } from "node:fs";

const lock = JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8")).packages;
const names = new Set(Object.keys(lock).map((path) => path.split("node_modules/").pop()));
const problems = [];

for (const [path, entry] of Object.entries(lock)) {
  for (const optional of Object.keys(entry.optionalDependencies ?? {})) {
    if (!names.has(optional))
      problems.push(`${path || "root"}: optional dependency ${optional} has no entry`);
  }
  if (/^[a-z+]+:\/\//i.test(entry.resolved ?? ""))
    problems.push(`${path}: names a registry: ${entry.resolved}`);
  if (path.startsWith("node_modules/") && !entry.link && !entry.integrity)
    problems.push(`${path}: no integrity`);
}

if (problems.length > 0) {
  console.error(problems.join("\n"));
  process.exit(1);
}
console.log(`lock complete: ${Object.keys(lock).length} entries`);
