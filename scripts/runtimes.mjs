// `engines` is a promise: the built packages run on every Node line that it names. npm fetches each Node for the
// occasion, outside the lock, and the smoke test refuses to pass on another version than the one asked for.
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";

const root = new URL("..", import.meta.url).pathname;
const versions = process.argv.length > 2 ? process.argv.slice(2) : ["20.19.0", "22.12.0", "22", "24", "26"];
const smoke = ["smoke", "adapters"].map((name) => join(root, `tests/smoke/${name}.test.mjs`));
// npx prefers what the nearest package.json offers, so it starts from a folder that has none.
const cwd = mkdtempSync(join(tmpdir(), "gatehouse-runtimes-"));
const failed = [];

for (const version of versions) {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(
    "npx",
    ["-y", "-p", `node@${version}`, "--", "node", "--test", "--test-reporter=tap", ...smoke],
    { cwd, encoding: "utf8", env: { ...process.env, GATEHOUSE_EXPECT_NODE: version }, timeout: 240_000 },
  );
  const passed = /^# pass (\d+)/m.exec(stdout)?.[1] ?? "0";
  const ok = status === 0 && Number(passed) > 0;
  console.log(
    `node ${version}: ${ok ? `${passed} passed` : "FAILED"} (${Math.round(performance.now() - started)} ms)`,
  );
  if (!ok) {
    failed.push(version);
    console.error(stdout, stderr);
  }
}
rmSync(cwd, { recursive: true, force: true });
process.exit(failed.length > 0 ? 1 : 0);
