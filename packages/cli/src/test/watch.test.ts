import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { filesNamedBy, watchFiles } from "./watch.js";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "gatehouse-watch-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("sees a file that is written, and one that is replaced", async () => {
  const path = join(folder, "policy.json");
  writeFileSync(path, "1");
  const written = watchFiles([path], 5);
  writeFileSync(path, "2");
  await written.changed;
  written.close();
  const replaced = watchFiles([path], 5);
  writeFileSync(join(folder, "new.json"), "3");
  renameSync(join(folder, "new.json"), path);
  await replaced.changed;
  replaced.close();
});

it("watches the policy and the key files that it names", async () => {
  const authenticators = {
    user: {
      type: "jwt",
      issuer: "i",
      audience: "a",
      algorithms: ["ES256"],
      keys: { jwks: "keys/jwks.json" },
    },
    key: { type: "api-key", in: "header", name: "X-Key", keys: { secret: "file:keys/keys.json" } },
    other: { type: "api-key", in: "header", name: "X-Other", keys: { secret: "env:KEYS" } },
  };
  writeFileSync(
    join(folder, "policy.json"),
    JSON.stringify({ gatehouse: 1, name: "n", authenticators, routes: {} }),
  );
  const tests = join(folder, "n.policy-test.json");
  writeFileSync(
    tests,
    JSON.stringify({
      policy: "policy.json",
      tests: [{ name: "n", request: "GET /", expect: { status: 404 } }],
    }),
  );
  expect(await filesNamedBy([tests])).toEqual([
    tests,
    join(folder, "policy.json"),
    join(folder, "keys/jwks.json"),
    join(folder, "keys/keys.json"),
  ]);
  expect(await filesNamedBy([join(folder, "gone.json")])).toEqual([join(folder, "gone.json")]);
});
