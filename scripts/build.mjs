// Builds every package: rolldown the JavaScript, `tsc -b` the declarations. `dist` goes first, or the chunks and
// declarations of deleted files would be packed and published.
import { execFileSync } from "node:child_process";
import { cpSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";

const root = new URL("..", import.meta.url).pathname;
for (const name of readdirSync(join(root, "packages"))) {
  rmSync(join(root, "packages", name, "dist"), { recursive: true, force: true });
}
const bin = (name) => join(root, "node_modules/.bin", name);
execFileSync(bin("rolldown"), ["--config", "rolldown.config.ts"], {
  cwd: root,
  stdio: ["ignore", "ignore", "inherit"],
});
execFileSync(bin("tsc"), ["-b"], { cwd: root, stdio: "inherit" });

// The cases are part of what `@gatehouse/core/conformance` promises; only files called `cases.json` and the way to them.
const sources = join(root, "packages/core/src");
for (const path of readdirSync(sources, { recursive: true, encoding: "utf8" })) {
  if (basename(path) !== "cases.json") continue;
  cpSync(join(sources, path), join(root, "packages/core/dist/cases", path));
}
