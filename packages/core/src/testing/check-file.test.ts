/** Closed-world: whatever could make a test hold for the wrong reason is told before it runs, with place and mend. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Diagnostic } from "../index.js";
import type { PolicyTest, PolicyTestFile } from "./policy-test.gen.js";
import { PolicyTestError } from "./problems.js";
import { readPolicyTests } from "./read.js";
import { runPolicyTests } from "./run.js";

const policy = {
  gatehouse: 1,
  name: "small",
  authenticators: {
    user: {
      type: "jwt",
      issuer: "https://id.test/",
      audience: "api",
      algorithms: ["ES256"],
      keys: { jwks: "k.json" },
      principal: { id: "sub", roles: "roles", tenant: "org" },
    },
    partner: { type: "api-key", in: "header", name: "X-Key", keys: { secret: "env:K" } },
    badge: { type: "custom", use: "badge", in: "header", name: "X-Key" },
  },
  roles: { clerk: [] },
  routes: {
    "GET /orders/:id": { authenticate: ["user"], authorize: { roles: ["clerk"], check: "ownsOrder" } },
    "GET /open": { authenticate: "none" },
    "GET /partner": { authenticate: ["partner"], authorize: "authenticated" },
    "GET /badge": { authenticate: ["badge"], authorize: "authenticated" },
  },
};

const test: PolicyTest = { name: "t", request: "GET /open", expect: { outcome: "admit" } };

function file(changes: object): PolicyTestFile {
  return { policy, tests: [test], ...changes };
}

async function problemsOf(tests: PolicyTestFile): Promise<readonly Diagnostic[]> {
  try {
    await runPolicyTests(tests);
  } catch (error) {
    if (error instanceof PolicyTestError) return error.diagnostics;
    throw error;
  }
  return [];
}

const with_ = (changes: object): object => ({ tests: [{ ...test, ...changes }] });

describe("policy tests that cannot be what somebody meant", () => {
  it("are refused, and right ones are not", async () => {
    expect(await problemsOf(file({}))).toEqual([]);
  });

  it.each<[what: string, changes: object, code: string, pointer: string, message: string, help?: string]>([
    [
      "an unknown key",
      { peple: {} },
      "unknown-key",
      "/peple",
      "unknown key `peple`",
      "did you mean `people`?",
    ],
    [
      "an unknown key of a test",
      with_({ expects: {} }),
      "unknown-key",
      "/tests/0/expects",
      "unknown key `expects`",
      "did you mean `expect`?",
    ],
    [
      "an unknown key of an expectation",
      with_({ expect: { statsu: 200 } }),
      "unknown-key",
      "/tests/0/expect/statsu",
      "unknown key `statsu`",
      "did you mean `status`?",
    ],
    [
      "an unknown key of a person",
      { people: { a: { authenticator: "user", rolse: [] } } },
      "unknown-key",
      "/people/a/rolse",
      "unknown key `rolse`",
      "did you mean `roles`?",
    ],
    [
      "a value of another type",
      with_({ expect: { status: "200" } }),
      "wrong-type",
      "/tests/0/expect/status",
      "expected a whole number, found a string",
      "write it without quotes",
    ],
    [
      "an outcome that there is not",
      with_({ expect: { outcome: "allow" } }),
      "unknown-value",
      "/tests/0/expect/outcome",
      "`allow` is not one of `admit`, `refuse`, `answer`",
    ],
    [
      "an expectation of nothing",
      with_({ expect: {} }),
      "too-few",
      "/tests/0/expect",
      "the object is empty",
      "write `outcome`, `stage`, `code`, `status`, `route`, `rule`, `concealed`, `headers`, `body`, `text`, `members`, `absent`, `withheld`, `errors`, `observed` or `handler`",
    ],
    [
      "no expectation",
      { tests: [{ name: "t", request: "GET /open" }] },
      "missing-key",
      "/tests/0",
      "`expect` is missing: this could never fail",
      "say at least the `outcome` or the `status`",
    ],
    [
      "no request",
      { tests: [{ name: "t", expect: { status: 200 } }] },
      "missing-key",
      "/tests/0",
      "`request` is missing",
      "add `request`: `GET /orders/1`",
    ],
    [
      "a request that is no line",
      with_({ request: "/open" }),
      "invalid-value",
      "/tests/0/request",
      "`/open` does not fit here",
      "write method and target: `GET /orders/1`",
    ],
    [
      "two tests of one name",
      { tests: [test, test] },
      "duplicate-entry",
      "/tests/1/name",
      "two tests have this name",
      "give each test a name of its own: reports tell them apart by it",
    ],
    [
      "nobody of that name",
      with_({ as: "an" }),
      "unknown-name",
      "/tests/0/as",
      "nobody in `people` is called `an`",
    ],
    [
      "a misspelt name",
      { people: { ann: { authenticator: "user" } }, ...with_({ as: "anm" }) },
      "unknown-name",
      "/tests/0/as",
      "nobody in `people` is called `anm`",
      "did you mean `ann`?",
    ],
    [
      "a stage that there is not",
      with_({ expect: { stage: "authorise" } }),
      "unknown-name",
      "/tests/0/expect/stage",
      "there is no stage `authorise`",
      "did you mean `authorize`?",
    ],
    [
      "a code that there is not",
      with_({ expect: { code: "forbiden" } }),
      "unknown-name",
      "/tests/0/expect/code",
      "there is no code `forbiden`",
      "did you mean `forbidden`?",
    ],
    [
      "a concealed code that there is not",
      with_({ expect: { concealed: "x" } }),
      "unknown-name",
      "/tests/0/expect/concealed",
      "there is no code `x`",
    ],
    [
      "an observed code that there is not",
      with_({ expect: { observed: ["x"] } }),
      "unknown-name",
      "/tests/0/expect/observed/0",
      "there is no code `x`",
    ],
    [
      "a route that there is not",
      with_({ expect: { route: "GET /opne" } }),
      "unknown-name",
      "/tests/0/expect/route",
      "there is no route `GET /opne`",
      "did you mean `GET /open`?",
    ],
    [
      "a rule that there is not",
      with_({ expect: { rule: "/routes/x" } }),
      "unknown-name",
      "/tests/0/expect/rule",
      "nothing stands in the policy at `/routes/x`",
      "a JSON Pointer into the policy, with `~1` for each `/` in a key",
    ],
    [
      "a code of an admitted request",
      with_({ expect: { outcome: "admit", code: "forbidden" } }),
      "conflicting-keys",
      "/tests/0/expect/code",
      "an admitted request has no code",
    ],
    [
      "a handler that cannot run",
      with_({ expect: { outcome: "refuse", handler: { body: 1 } } }),
      "conflicting-keys",
      "/tests/0/expect/handler",
      "the handler reads nothing where nothing is admitted",
    ],
    [
      "two bodies",
      with_({ request: { target: "/open", body: 1, text: "1" } }),
      "conflicting-keys",
      "/tests/0/request/text",
      "`text` stands beside `body`",
    ],
    [
      "two answers",
      with_({ answer: { body: 1, throws: "x" } }),
      "conflicting-keys",
      "/tests/0/answer/throws",
      "`throws` stands beside `body`",
    ],
    [
      "bytes that are no base64",
      with_({ request: { target: "/open", base64: "?" } }),
      "invalid-value",
      "/tests/0/request/base64",
      "the text is no base64",
    ],
    [
      "TLS without TLS",
      with_({ request: { target: "/open", https: false, tls: {} } }),
      "conflicting-keys",
      "/tests/0/request/tls",
      "`tls` stands beside `https` that is `false`",
    ],
    [
      "a certificate of a day that there is not",
      with_({
        request: { target: "/open", tls: { clientCertificate: { subject: "CN=x", validTo: "2026-02-30" } } },
      }),
      "invalid-value",
      "/tests/0/request/tls/clientCertificate/validTo",
      "`2026-02-30` is a day that no calendar has",
    ],
    [
      "a day that there is not",
      { at: "2026-02-30" },
      "invalid-value",
      "/at",
      "`2026-02-30` is a day that no calendar has",
    ],
    [
      "a check that the policy does not call",
      { checks: { ownOrder: true } },
      "unknown-function",
      "/checks/ownOrder",
      "the policy calls none of the application's checks `ownOrder`",
      "did you mean `ownsOrder`?",
    ],
    [
      "a lookup that the policy does not call",
      with_({ lookups: { x: "throws" } }),
      "unknown-function",
      "/tests/0/lookups/x",
      "the policy calls none of the application's lookups `x`",
      "leave it out",
    ],
    [
      "an authenticator's code that the policy does not call",
      { authenticators: { user: "throws" } },
      "unknown-function",
      "/authenticators/user",
      "the policy calls none of the application's authenticators `user`",
      "leave it out",
    ],
    [
      "a person without an authenticator",
      { people: { ann: {} } },
      "missing-key",
      "/people/ann",
      "`authenticator` is missing",
      "write one of `badge`, `partner`, `user`",
    ],
    [
      "an authenticator that there is not",
      { people: { ann: { authenticator: "usr" } } },
      "unknown-authenticator",
      "/people/ann/authenticator",
      "the policy has no authenticator `usr`",
      "did you mean `user`?",
    ],
    [
      "a role that there is not",
      { people: { ann: { authenticator: "user", roles: ["clark"] } } },
      "unknown-role",
      "/people/ann/roles/0",
      "role `clark` is not declared in `roles` of the policy",
      "did you mean `clerk`?",
    ],
    [
      "claims of an API key",
      { people: { ann: { authenticator: "partner", claims: {} } } },
      "conflicting-keys",
      "/people/ann/claims",
      "an API key has no claims: write `attributes`",
    ],
    [
      "routes of a token",
      { people: { ann: { authenticator: "user", routes: [] } } },
      "conflicting-keys",
      "/people/ann/routes",
      "a token has no routes: only an API key has",
    ],
    [
      "a header of a badge",
      { people: { ann: { authenticator: "badge", header: {} } } },
      "conflicting-keys",
      "/people/ann/header",
      "this credential has no header: only a token has",
    ],
    [
      "a route of an API key that there is not",
      { people: { ann: { authenticator: "partner", routes: ["GET /x"] } } },
      "unknown-route",
      "/people/ann/routes/0",
      "the policy has no route `GET /x`",
    ],
    [
      "an algorithm that nobody signs with",
      { people: { ann: { authenticator: "user", header: { alg: "none" } } } },
      "unknown-value",
      "/people/ann/header/alg",
      "the runner signs with no such algorithm",
    ],
    [
      "scopes that nothing maps",
      { people: { ann: { authenticator: "user", scopes: ["s"] } } },
      "unreachable-field",
      "/people/ann/scopes",
      "no claim gives a principal `scopes`: `principal` of authenticator `user` maps no `scopes`",
      "map it in the policy, or leave it out here",
    ],
    [
      "keys beside credentials",
      { people: { ann: { roles: [], credentials: { user: {} } } } },
      "conflicting-keys",
      "/people/ann/roles",
      "`roles` stands beside `credentials`",
      "say it of one of the `credentials`",
    ],
    [
      "two credentials in one place",
      { people: { ann: { credentials: { partner: {}, badge: {} } } } },
      "conflicting-keys",
      "/people/ann/credentials/badge",
      "the credentials of `partner` and `badge` travel in the same header `x-key`",
      "send one of them",
    ],
    [
      "keys beside steps",
      {
        tests: [
          {
            ...test,
            steps: [{ request: "GET /open", expect: { status: 204 } }],
            expect: undefined,
            request: undefined,
            as: "x",
          },
        ],
      },
      "conflicting-keys",
      "/tests/0/as",
      "`as` stands beside `steps`",
      "say it of one of the `steps`",
    ],
    [
      "a release of nothing",
      { tests: [{ name: "t", steps: [{ release: "a" }] }] },
      "unknown-name",
      "/tests/0/steps/0/release",
      "no step before holds an exchange `a`",
    ],
    [
      "repeated holding",
      with_({ hold: "a", repeat: 2 }),
      "conflicting-keys",
      "/tests/0/repeat",
      "`repeat` stands beside `hold`",
      "write a step for each exchange that is held",
    ],
    [
      "an answer without a request",
      { tests: [{ name: "t", steps: [{ wait: "1s", answer: {} }] }] },
      "conflicting-keys",
      "/tests/0/steps/0/answer",
      "`answer` is for a step with a request",
    ],
    [
      "a duration that is none",
      { tests: [{ name: "t", steps: [{ wait: "soon" }] }] },
      "invalid-value",
      "/tests/0/steps/0/wait",
      "`soon` does not fit here",
      "write a duration such as `10s`",
    ],
  ])("%s", async (_what, changes, code, pointer, message, help) => {
    // JSON has no undefined members.
    const tests = JSON.parse(JSON.stringify(file(changes))) as PolicyTestFile;
    const problem = { code, severity: "error", pointer, message, ...(help === undefined ? {} : { help }) };
    expect(await problemsOf(tests)).toEqual([problem]);
  });

  it("are told all at once, with their place in the file", async () => {
    const folder = mkdtempSync(join(tmpdir(), "gatehouse-tests-"));
    const path = join(folder, "small.policy-test.json");
    try {
      const text = `{\n  "policy": ${JSON.stringify(policy)},\n  // one of them\n  "tests": [\n    { "name": "t", "request": "GET /open", "expect": { "code": "forbiden" } },\n    { "name": "t", "as": "x", "request": "GET /open", "expect": { "status": 200 } }\n  ]\n}\n`;
      writeFileSync(path, text);
      const places = (await problemsOf(await readPolicyTests(path))).map(
        ({ pointer, line, column, file }) => [pointer, line, column, file],
      );
      expect(places).toEqual([
        ["/tests/0/expect/code", 5, 56, path],
        ["/tests/1/name", 6, 7, path],
        ["/tests/1/as", 6, 20, path],
      ]);
      writeFileSync(path, '{ "policy": "p.json", "tests": [}');
      await expect(readPolicyTests(path)).rejects.toThrow(
        "help: policy tests are JSON; comments and trailing commas are allowed",
      );
      writeFileSync(path, '{ "policy": "p.json", "policy": "q.json", "tests": [] }');
      await expect(readPolicyTests(path)).rejects.toThrow("key `policy` stands twice in one object");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
