// What a user installs, judged before publishing: entry points (publint), types under every module resolution
// that an ESM-only package serves (attw), and nothing unused or undeclared (knip).
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packAll } from "./lib/pack.mjs";

const root = new URL("..", import.meta.url).pathname;
const run = (name, ...args) =>
  execFileSync(join(root, "node_modules/.bin", name), args, { cwd: root, stdio: "inherit" });

let failed = false;
const attempt = (what, work) => {
  try {
    work();
  } catch {
    failed = true;
    console.error(`check:pack: ${what} failed`);
  }
};

const temp = mkdtempSync(join(tmpdir(), "gatehouse-packed-"));
try {
  for (const { folder, tarball } of packAll(temp)) {
    const { exports } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    const typed = Object.keys(exports).filter((entry) => !entry.endsWith(".json"));
    attempt(`publint ${folder}`, () => run("publint", tarball, "--strict"));
    attempt(`attw ${folder}`, () =>
      run("attw", tarball, "--profile", "esm-only", "--format", "ascii", "--entrypoints", ...typed),
    );
  }
} finally {
  rmSync(temp, { recursive: true, force: true });
}
attempt("knip", () => run("knip", "--no-progress"));
process.exit(failed ? 1 : 0);
