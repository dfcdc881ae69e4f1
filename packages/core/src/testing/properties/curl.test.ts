/** Lines are run by a real shell: what reaches the program is what would have been sent. */
import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { Report } from "../../errors/diagnostics.js";
import { definePolicy } from "../../index.js";
import type { TestPerson, TestRequest } from "../policy-test.gen.js";
import { World } from "../world.js";
import { curlLine } from "./curl.js";

const policy = definePolicy({
  gatehouse: 1,
  name: "curl",
  transport: { hosts: ["*.api.test"] },
  authenticators: {
    "my-key": { type: "api-key", in: "query", name: "key", keys: { lookup: "byHash" } },
    session: { type: "api-key", in: "cookie", name: "sid", keys: { lookup: "byHash" } },
    plain: { type: "api-key", in: "header", name: "X-Key", keys: { lookup: "byHash" } },
  },
  routes: {},
});

/** What curl would be called with, as a shell takes the line apart. */
async function argumentsOf(request: TestRequest, as?: TestPerson): Promise<string[]> {
  const world = await World.of(policy, {});
  try {
    const person = as && world.know("somebody", as, "", new Report());
    const line = curlLine(request, person, world.policy);
    const script = `curl() { for one in "$@"; do printf '%s\\0' "$one"; done; }; ${line}`;
    const env = { MY_KEY_CREDENTIAL: "k1", SESSION_CREDENTIAL: "s1", PLAIN_CREDENTIAL: "p1" };
    return execFileSync("sh", ["-c", script], { encoding: "utf8", env }).split("\0").slice(1, -1);
  } finally {
    await world.close();
  }
}

it("keeps quotes, dollars and blanks as they are", async () => {
  const body = { text: `it's "5 $" \`id\` \\ $(id)` };
  expect(await argumentsOf({ method: "PUT", target: "/a?b=c%20d", body })).toEqual([
    "--path-as-is",
    "-X",
    "PUT",
    "-H",
    "Content-Type: application/json",
    "--data-raw",
    JSON.stringify(body),
    "https://api.api.test/a?b=c%20d",
  ]);
});

it.each<[string, TestPerson, string]>([
  ["a header", { authenticator: "plain" }, "X-Key: p1"],
  ["a cookie", { authenticator: "session" }, "Cookie: theme=dark; sid=s1"],
  ["the query", { authenticator: "my-key" }, "https://api.api.test/a?key=k1"],
])("has a variable where a credential stands in %s", async (_where, person, argument) => {
  const request: TestRequest = {
    target: "/a",
    ...(person.authenticator === "session" && { cookies: { theme: "dark" } }),
  };
  expect(await argumentsOf(request, person)).toContain(argument);
});

it("sends HEAD as a program that waits for no body", async () => {
  expect(await argumentsOf({ method: "HEAD", target: "/../a" })).toEqual([
    "--path-as-is",
    "-I",
    "https://api.api.test/../a",
  ]);
});
