/** `gatehouse audit` as a process: its exit codes, and what a baseline changes. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { commandUnderTest } from "./support.js";

const { run, folder } = commandUnderTest();
const write = (name: string, value: unknown): void =>
  writeFileSync(join(folder(), name), typeof value === "string" ? value : JSON.stringify(value));

const POLICY = {
  gatehouse: 1,
  name: "notes",
  transport: { hosts: ["api.example.com"], https: "off" },
  limits: { "per-ip": { limit: 100, window: "1m", by: "client.ip" } },
  routes: { "GET /health": { authenticate: "none", limits: ["per-ip"] } },
};
const accepted = {
  rule: "plain-http",
  pointer: "/transport/https",
  reason: "a proxy ends TLS",
  expires: "2999-01-01",
};

it("ends with 1 for what is grave enough and not accepted", () => {
  write("policy.json", POLICY);
  write("baseline.json", { accepted: [accepted] });
  const found = run(["audit", "policy.json"]);
  expect({ code: found.code, err: found.err }).toEqual({ code: 1, err: "" });
  expect(found.out).toContain("high[plain-http]: plain HTTP is served\n  --> policy.json:1:");
  expect(found.out).toContain("1 high, 1 info in policy.json");
  expect(run(["audit", "policy.json", "--fail-on", "never"]).code).toBe(0);
  const judged = run(["audit", "policy.json", "--baseline", "baseline.json"]);
  expect(judged.code).toBe(0);
  expect(judged.out).not.toContain("plain-http");
  expect(judged.out).toContain("1 info, 1 accepted in policy.json");
  expect(run(["audit", "policy.json", "--baseline", "baseline.json", "--fail-on", "info"]).code).toBe(1);
});

it("counts an acceptance whose day has come, and says so", () => {
  write("policy.json", POLICY);
  write("old.json", { accepted: [{ ...accepted, expires: "2020-01-01" }] });
  const { code, out } = run(["audit", "policy.json", "--baseline", "old.json"]);
  expect(code).toBe(1);
  expect(out).toContain(
    "expired on 2020-01-01: plain-http at /transport/https was accepted because: a proxy ends TLS",
  );
});

it("prints JSON, Markdown and SARIF", () => {
  write("policy.json", POLICY);
  const told = JSON.parse(run(["audit", "policy.json", "--json"]).out) as { findings: readonly object[] };
  expect(told.findings[0]).toMatchObject({
    rule: "plain-http",
    severity: "high",
    owasp: ["API8"],
    asvs: ["4.1.2"],
    line: 1,
  });
  expect(run(["audit", "policy.json", "--format", "markdown"]).out).toMatch(/^\| severity \| rule /u);
  expect(JSON.parse(run(["audit", "policy.json", "--format", "sarif"]).out)).toMatchObject({
    version: "2.1.0",
  });
});

it.each([
  [["policy.json", "--baseline", "gone.json"], "`gone.json` cannot be read"],
  [["policy.json", "--baseline", "policy.json"], "`policy.json` is no baseline: a baseline is"],
  [["policy.json", "--baseline", "text"], "`text` is no baseline: it is no JSON"],
  [["policy.json", "--fail-on", "hihg"], "`--fail-on` cannot be `hihg`"],
])("refuses %j", (args, message) => {
  write("policy.json", POLICY);
  write("text", "accepted:");
  const { code, out, err } = run(["audit", ...args]);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain(message);
});
