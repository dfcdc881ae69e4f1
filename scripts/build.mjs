// Builds every package: tsup the JavaScript, `tsc -b` the declarations. `dist` goes first, or the chunks and
// declarations of deleted files would be packed and published.
import { execFileSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const root = new URL("..", import.meta.url).pathname;
for (const name of readdirSync(join(root, "packages"))) {
  rmSync(join(root, "packages", name, "dist"), { recursive: true, force: true });
}
const bin = (name) => join(root, "node_modules/.bin", name);
execFileSync(bin("tsup"), { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
execFileSync(bin("tsc"), ["-b"], { cwd: root, stdio: "inherit" });
