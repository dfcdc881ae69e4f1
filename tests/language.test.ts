/** Promises about documents as a whole, through the public door. */
import { readFileSync } from "node:fs";
import { checkPolicy, createEngine, parsePolicy, type PolicyDocument } from "@gatehouse/core";
import { caseFiles } from "@gatehouse/core/conformance";
import { describe, expect, it } from "vitest";

const example = readFileSync(new URL("../examples/orders/policy.jsonc", import.meta.url), "utf8");

describe("documents", () => {
  it("the example's policy has no problem, not even a warning", () => {
    expect(checkPolicy(parsePolicy(example, "policy.jsonc"))).toEqual([]);
  });

  it("parse, print, parse: one revision (B1.33)", async () => {
    const open: PolicyDocument = {
      gatehouse: 1,
      name: "ü 😀",
      transport: { https: "off" },
      routes: {
        "GET /a": { authenticate: "none" },
        "GET /b/:c": { authenticate: "none", description: "1e3" },
      },
    };
    const first = await createEngine(open);
    const printed = JSON.stringify(parsePolicy(JSON.stringify(open, undefined, 2)));
    const second = await createEngine(parsePolicy(`// a comment\n${printed}`));
    expect(second.revision).toBe(first.revision);
    const other = await createEngine({ ...open, description: "another" });
    expect(other.revision).not.toBe(first.revision);
  });

  it("a jwt authenticator must name its algorithms, its issuer and its audience (B3.57, B3.67)", () => {
    const document: unknown = {
      gatehouse: 1,
      name: "x",
      authenticators: { user: { type: "jwt", keys: { secret: "env:S" } } },
      routes: { "GET /": { authorize: "authenticated" } },
    };
    const problems = checkPolicy(document).map(({ code, pointer, message }) => [code, pointer, message]);
    expect(problems).toEqual(
      ["issuer", "audience", "algorithms"].map((key) => [
        "missing-key",
        "/authenticators/user",
        `\`${key}\` is missing`,
      ]),
    );
  });

  it("every policy of every case is held to its check before it is compiled", () => {
    expect(caseFiles().length).toBeGreaterThan(10);
    for (const {
      file: { policies },
    } of caseFiles()) {
      for (const policy of Object.values(policies)) expect(() => checkPolicy(policy)).not.toThrow();
    }
  });
});

it("one engine in a process does not count for another (B10.161)", async () => {
  const policy: PolicyDocument = {
    gatehouse: 1,
    name: "x",
    transport: { https: "off" },
    limits: { one: { limit: 1, window: "1h", by: "client.ip" } },
    routes: { "GET /limited": { authenticate: "none", limits: ["one"] } },
  };
  const first = await createEngine(policy);
  const second = await createEngine(policy);
  const request = {
    method: "GET",
    target: "/limited",
    headers: { host: "a.test" },
    remoteAddress: "203.0.113.7",
  };
  expect((await first.evaluate(request)).outcome).toBe("admit");
  expect((await first.evaluate(request)).outcome).toBe("refuse");
  expect((await second.evaluate(request)).outcome).toBe("admit");
});
