/** `gatehouse matrix` as a process: written, reviewed, and compared when the policy has changed. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { commandUnderTest } from "./support.js";

const { run, folder } = commandUnderTest();
const write = (name: string, value: unknown): void =>
  writeFileSync(join(folder(), name), typeof value === "string" ? value : JSON.stringify(value));

const policyWith = (roles: readonly string[]): object => ({
  gatehouse: 1,
  name: "notes",
  authenticators: { key: { type: "api-key", in: "header", name: "X-Key", keys: { secret: "env:KEYS" } } },
  roles: { admin: ["clerk"], clerk: [] },
  routes: { "GET /health": { authenticate: "none" }, "GET /notes": { authorize: { roles } } },
});

it.each([
  ["markdown", "access.md"],
  ["csv", "access.csv"],
  ["json", "access.json"],
])("holds a policy to a reviewed matrix in %s", (format, name) => {
  write("policy.json", policyWith(["clerk"]));
  const written = run(["matrix", "policy.json", "--format", format]);
  expect({ code: written.code, err: written.err }).toEqual({ code: 0, err: "" });
  expect(run(["matrix", "policy.json", "--format", format]).out).toBe(written.out);
  write(name, written.out);
  expect(run(["matrix", "policy.json", "--check", name])).toEqual({
    code: 0,
    out: `${name} is what the policy says\n`,
    err: "",
  });
  write("policy.json", policyWith(["admin"]));
  expect(run(["matrix", "policy.json", "--check", name])).toEqual({
    code: 1,
    out: `\`GET /notes\` for \`clerk\`: was allow, is 403 forbidden\n\n1 change since ${name} was reviewed\n`,
    err: "",
  });
});

it("writes a page of HTML", () => {
  write("policy.json", policyWith(["clerk"]));
  expect(run(["matrix", "policy.json", "--format", "html"]).out).toMatch(
    /^<!doctype html>\n[^]*<\/html>\n$/u,
  );
});

it.each([
  [["policy.json", "--check", "gone.md"], "`gone.md` cannot be read"],
  [["policy.json", "--check", "empty.md"], "`empty.md` cannot be compared: it has no table"],
  [["policy.json", "--check", "empty.json"], "`empty.json` cannot be compared: it is no JSON"],
  [["policy.json", "--check", "x.html"], "`x.html` cannot be compared: HTML is not read back"],
  [["policy.json", "--check", "access"], "the name of `access` does not tell its format"],
  [["policy.json", "--json", "--format", "csv"], "`--json` contradicts `--format csv`"],
  [["bad.json"], "the policy cannot be served"],
])("refuses %j", (args, message) => {
  write("policy.json", policyWith(["clerk"]));
  write("bad.json", policyWith(["clark"]));
  for (const name of ["empty.md", "empty.json", "x.html", "access"]) write(name, "");
  const { code, out, err } = run(["matrix", ...args]);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain(message);
});
