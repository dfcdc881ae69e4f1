import { createHmac } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { definePolicy, PolicyError, type PolicyDocument } from "../index.js";
import type { Expectation, PolicyTest, PolicyTestFile } from "./policy-test.gen.js";
import { runPolicyTests, type RunOptions, type SeenDecision } from "./run.js";
import { throwawaySecret } from "./secrets.js";

const policy = definePolicy({
  gatehouse: 1,
  name: "runs",
  authenticators: {
    user: {
      type: "jwt",
      issuer: "https://id.test/",
      audience: "api",
      algorithms: ["ES256"],
      keys: { jwks: "k.json" },
      principal: { id: "sub", roles: "roles" },
    },
  },
  roles: { admin: ["clerk"], clerk: [] },
  redaction: { key: { secret: "env:KEY" } },
  limits: {
    three: { limit: 3, window: "1m", by: "client.ip" },
    slots: { limit: 1, algorithm: "concurrency", by: "principal.id" },
    guesses: {
      limit: 100,
      window: "1h",
      by: "client.ip",
      count: "failures",
      penalty: { after: 2, block: "10m" },
    },
  },
  routes: {
    "GET /three": { authenticate: "none", limits: ["three"] },
    "GET /slow": { authorize: { roles: ["clerk"] }, limits: ["slots"] },
    "POST /login": { authenticate: "none", limits: ["guesses"] },
    "GET /orders/:id": {
      authorize: { roles: ["clerk"], check: "ownsOrder" },
      conceal: true,
      response: {
        body: { type: "object", properties: { id: { type: "string" }, card: { type: "string" } } },
        redact: { "/card": "hash" },
      },
    },
    "PUT /orders/:id": {
      authorize: { roles: ["clerk"] },
      request: {
        params: { id: { type: "integer" } },
        body: { type: "object", required: ["n"], properties: { n: { type: "integer", maximum: 9 } } },
      },
    },
    "GET /watched": { authorize: { roles: ["admin"] }, mode: "observe" },
    "PATCH /stream": { authenticate: "none", request: { maxBody: 4 } },
  },
});

const people: NonNullable<PolicyTestFile["people"]> = { ann: { roles: ["clerk"] }, bob: {} };

function file(tests: readonly PolicyTest[], more: Partial<PolicyTestFile> = {}): PolicyTestFile {
  return { policy: { ...policy }, people, tests, ...more };
}

async function run(
  tests: readonly PolicyTest[],
  more: Partial<PolicyTestFile> = {},
  options: RunOptions = {},
) {
  return runPolicyTests(file(tests, more), options);
}

/** What the only test of a file came out with otherwise. */
async function differences(
  test: Partial<PolicyTest>,
  more: Partial<PolicyTestFile> = {},
): Promise<readonly string[]> {
  const { tests } = await run([{ name: "t", ...test }], more);
  return tests.flatMap(({ failures }) => failures.flatMap((failure) => failure.differences));
}

describe("a test", () => {
  const order = {
    as: "ann",
    request: "GET /orders/7",
    answer: { body: { id: "7", card: "4111", margin: 1 } },
  };
  const checks = { ownsOrder: true } as const;
  // The throwaway secret is the same in every run, so what is hashed under it is too.
  const hashed = createHmac("sha256", throwawaySecret("env:KEY")).update('"4111"').digest("base64url");

  it("passes where everything is as it says", async () => {
    const expectation: Expectation = {
      outcome: "admit",
      status: 200,
      route: "GET /orders/:id",
      concealed: false,
      headers: {
        "X-Content-Type-Options": "nosniff",
        "cache-control": { contains: "no-store" },
        Server: null,
      },
      members: { "/id": "7", "/card": hashed },
      absent: ["/margin"],
      withheld: ["4111"],
      observed: [],
      handler: { principal: { id: "ann", roles: ["clerk"] }, params: { id: "7" }, query: {} },
    };
    expect(await differences({ ...order, checks, expect: expectation })).toEqual([]);
  });

  it.each<[Expectation, string | RegExp]>([
    [{ outcome: "refuse" }, 'outcome: expected "refuse", got "admit"'],
    [{ stage: "authorize" }, 'stage: expected "authorize", got nothing'],
    [{ code: "forbidden" }, 'code: expected "forbidden", got nothing'],
    [{ status: 201 }, "status: expected 201, got 200"],
    [{ route: null }, 'route: expected null, got "GET /orders/:id"'],
    [{ rule: "/routes" }, 'rule: expected "/routes", got nothing'],
    [{ concealed: true }, "concealed: expected true, got false"],
    [{ concealed: "forbidden" }, 'concealed: expected "forbidden", got nothing'],
    [
      { headers: { "X-Content-Type-Options": "x" } },
      'header X-Content-Type-Options: expected "x", got "nosniff"',
    ],
    [
      { headers: { "X-Content-Type-Options": null } },
      'header X-Content-Type-Options: expected null, got "nosniff"',
    ],
    [
      { headers: { "Cache-Control": { contains: "max" } } },
      /^header Cache-Control: expected \{"contains":"max"\}/u,
    ],
    [{ headers: { "X-None": "x" } }, 'header X-None: expected "x", got null'],
    [{ body: { id: "7" } }, /^body: expected \{"id":"7"\}, got \{"id":"7","card":"[\w-]{43}"\}$/u],
    [{ text: "x" }, /^text: expected "x", got "/u],
    [{ members: { "/id": "8" } }, 'member /id: expected "8", got "7"'],
    [{ members: { "/margin": null } }, "member /margin: expected null, got nothing"],
    [{ absent: ["/id"] }, "member /id: expected nothing, something left"],
    [{ withheld: ["nosniff"] }, '"nosniff" left'],
    [{ errors: [{ pointer: "/a", rule: "b" }] }, 'errors: expected ["/a b"], got []'],
    [{ observed: ["forbidden"] }, 'observed: expected ["forbidden"], got []'],
    [{ handler: { principal: null } }, /^handler's principal: expected null, got \{/u],
    [{ handler: { principal: { id: "bob" } } }, 'principal\'s id: expected "bob", got "ann"'],
    [{ handler: { params: { id: 7 } } }, 'handler\'s params: expected {"id":7}, got {"id":"7"}'],
    [{ handler: { query: { a: 1 } } }, 'handler\'s query: expected {"a":1}, got {}'],
    [{ handler: { headers: { host: "x" } } }, 'handler\'s header host: expected "x", got "api.test"'],
    [{ handler: { cookies: { c: "x" } } }, 'handler\'s cookie c: expected "x", got nothing'],
    [{ handler: { body: 1 } }, "handler's body: expected 1, got nothing"],
  ])("fails where %j is not so", async (expectation, difference) => {
    const found = await differences({ ...order, checks, expect: expectation });
    expect(found).toHaveLength(1);
    if (typeof difference === "string") expect(found).toEqual([difference]);
    else expect(found[0]).toMatch(difference);
  });

  it("tells what a refusal conceals, by which rule, and that the handler did not run", async () => {
    const refusal: Expectation = {
      outcome: "refuse",
      stage: "check",
      code: "not-found",
      status: 404,
      concealed: "forbidden",
      rule: "/routes/GET ~1orders~1:id/authorize",
    };
    const denied = { ...order, checks: { ownsOrder: false } };
    expect(await differences({ ...denied, expect: refusal })).toEqual([]);
    expect(
      await differences({ ...denied, expect: { rule: "/routes/GET ~1orders~1:id/auth" } }).catch(String),
    ).toMatch("nothing stands in the policy at");
    expect(await differences({ ...denied, expect: { handler: { body: 1 } } })).toEqual([
      "the handler did not run",
    ]);
    expect(await differences({ ...denied, expect: { rule: "/routes/PUT ~1orders~1:id" } })).toHaveLength(1);
  });

  it("tells the problems of an input, all of them", async () => {
    const bad = { as: "ann", request: { method: "PUT", target: "/orders/7", body: { n: 10, m: 1 } } };
    const errors = [
      { pointer: "/body/n", rule: "maximum" },
      { pointer: "/body/m", rule: "unknown" },
    ];
    expect(await differences({ ...bad, expect: { code: "invalid-body", errors } })).toEqual([]);
    expect(await differences({ ...bad, expect: { errors: errors.slice(1) } })).toEqual([
      'errors: expected ["/body/m unknown"], got ["/body/m unknown","/body/n maximum"]',
    ]);
  });

  it("tells what observe mode would have refused", async () => {
    expect(
      await differences({
        as: "ann",
        request: "GET /watched",
        expect: { outcome: "admit", observed: ["forbidden"] },
      }),
    ).toEqual([]);
  });

  it("fails where a check is asked of which it says nothing", async () => {
    expect(await differences({ ...order, expect: { outcome: "refuse", status: 500 } })).toEqual([
      "the check `ownsOrder` was asked, and the test says nothing of it in `checks`",
    ]);
  });

  it("knows for whom a check is true", async () => {
    const stubs: PolicyTestFile["checks"] = { ownsOrder: [{ principal: "ann", params: { id: "7" } }] };
    const ask = (as: string, id: string, outcome: "admit" | "refuse") =>
      differences({ as, request: `GET /orders/${id}`, expect: { outcome } }, { checks: stubs });
    expect(await ask("ann", "7", "admit")).toEqual([]);
    expect(await ask("ann", "8", "refuse")).toEqual([]);
  });

  it("meets a handler that throws, and one that reads more than it may", async () => {
    const thrown: Expectation = {
      outcome: "admit",
      status: 500,
      members: { "/code": "handler-failed" },
      withheld: ["db is"],
    };
    expect(
      await differences({ request: "GET /three", answer: { throws: "db is down" }, expect: thrown }),
    ).toEqual([]);
    const request = {
      method: "PATCH",
      target: "/stream",
      text: "12345",
      headers: { "Content-Type": "application/json", "Transfer-Encoding": "chunked" },
    };
    expect(await differences({ request, expect: { outcome: "admit", status: 413 } })).toEqual([]);
  });
});

describe("steps", () => {
  const three = { request: "GET /three", expect: { outcome: "admit" } } as const;
  const limited = { request: "GET /three", expect: { code: "rate-limited", status: 429 } } as const;

  it("share counters and a clock that moves when it is told", async () => {
    const { tests } = await run([
      { name: "a window", steps: [{ ...three, repeat: 3 }, limited, { wait: "66s", ...three }] },
      { name: "fresh counters", ...three, repeat: 3 },
      { name: "one too many", ...three, repeat: 5 },
    ]);
    expect(tests.map(({ status }) => status)).toEqual(["passed", "passed", "failed"]);
    expect(tests[2]?.failures.map(({ time }) => time)).toEqual([4, 5]);
  });

  it("shed where a step says that the event loop is late", async () => {
    const shed = { ...policy, shed: { signal: "event-loop", retryAfter: "3s" } } as const;
    const open = { request: "PATCH /stream", expect: { outcome: "admit" } } as const;
    const away = { expect: { code: "overloaded", stage: "shed", headers: { "Retry-After": "3" } } } as const;
    const { tests } = await run(
      [
        {
          name: "late",
          steps: [
            { delay: "80ms", ...open },
            { request: "PATCH /stream", ...away },
            { delay: "0ms" },
            { ...open, repeat: 5 },
          ],
        },
        { name: "each test begins in time", ...open, repeat: 5 },
        { name: "and would see otherwise", steps: [{ delay: "80ms" }, { ...open, repeat: 5 }] },
      ],
      {},
      { policy: shed },
    );
    expect(tests.map(({ status }) => status)).toEqual(["passed", "passed", "failed"]);
  });

  it("hold a slot until it is released", async () => {
    const slow = { as: "ann", request: "GET /slow" } as const;
    const { tests } = await run([
      {
        name: "one at a time",
        steps: [
          { ...slow, hold: "first", expect: { outcome: "admit" } },
          { ...slow, expect: { code: "rate-limited" } },
          { release: "first" },
          { ...slow, hold: "second", expect: { outcome: "admit" } },
          { release: "second", ...slow, expect: { outcome: "admit" } },
        ],
      },
      { name: "nothing is held any more", ...slow, expect: { outcome: "admit" } },
      { name: "held at the end", ...slow, hold: "x", expect: { outcome: "admit" } },
      { name: "and given back", ...slow, expect: { outcome: "admit" } },
    ]);
    expect(tests.flatMap(({ failures }) => failures.map(({ message }) => message))).toEqual([]);
  });

  it("meet a penalty and its end", async () => {
    const login = { request: { method: "POST", target: "/login" } } as const;
    const wrong = { ...login, answer: { status: 401 } } as const;
    const { tests } = await run([
      {
        name: "two wrong ones",
        steps: [
          { ...wrong, repeat: 2, expect: { outcome: "admit", status: 401 } },
          { ...login, expect: { code: "rate-limited" } },
          { wait: "9m", ...login, expect: { code: "rate-limited" } },
          { wait: "1m", ...login, expect: { outcome: "admit" } },
        ],
      },
    ]);
    expect(tests.flatMap(({ failures }) => failures.map(({ message }) => message))).toEqual([]);
  });
});

describe("a report", () => {
  const good: PolicyTest = { name: "good", request: "GET /three", expect: { outcome: "admit" } };
  const bad: PolicyTest = {
    name: "bad",
    as: "bob",
    request: "GET /slow",
    expect: { outcome: "admit", status: 204 },
  };

  it("counts, and says what failed, with the trace", async () => {
    const report = await run([good, bad]);
    expect(report).toMatchObject({ file: undefined, policy: "runs", passed: 1, failed: 1 });
    expect(report.tests.map(({ name, pointer, line }) => [name, pointer, line])).toEqual([
      ["good", "/tests/0", undefined],
      ["bad", "/tests/1", undefined],
    ]);
    expect(report.tests[1]?.failures[0]?.message.split("\n")).toEqual([
      "bad (/tests/1)",
      '  outcome: expected "admit", got "refuse"',
      "  status: expected 204, got 403",
      "  as bob: GET /slow",
      "  refuse 403 forbidden at authorize",
      "  ✓ transport        pass; by /transport/https",
      "  ✓ transport        pass; by /routes/GET ~1slow",
      "  ✓ authenticate     pass; by /routes/GET ~1slow; authenticated by `user`; read headers.authorization",
      "  ✓ limit-principal  pass; by /limits/slots",
      "  ✓ parameters       pass; by /routes/GET ~1slow",
      expect.stringMatching(
        /^ {2}✗ authorize {8}refuse forbidden; by \/routes\/GET ~1slow\/authorize\/roles; the caller has none of the roles `clerk`.*; read principal\.roles = \[\]$/u,
      ),
    ]);
  });

  it("says nothing of a credential", async () => {
    const { tests } = await run([bad]);
    const sent =
      tests[0]?.failures[0]?.result.request.headers.find(([name]) => name === "Authorization")?.[1] ?? "";
    expect(sent).toMatch(/^Bearer ey/u);
    expect(tests[0]?.failures[0]?.message).not.toContain(sent.slice(7, 30));
  });

  it("is about the tests that were chosen, and tells each as it ends", async () => {
    const ended: string[] = [];
    const options: RunOptions = {
      only: (name) => name === "bad",
      onTest: ({ name, status }) => ended.push(`${name} ${status}`),
    };
    expect(await run([good, bad], {}, options)).toMatchObject({ passed: 0, failed: 1 });
    expect(ended).toEqual(["bad failed"]);
  });

  it("lets every decision be watched, with its trace", async () => {
    const seen: SeenDecision[] = [];
    const hold: PolicyTest = {
      name: "held",
      as: "ann",
      request: "GET /slow",
      hold: "x",
      expect: { outcome: "admit" },
    };
    await run([{ ...good, repeat: 2 }, bad, hold], {}, { onDecision: (one) => void seen.push(one) });
    expect(seen.map(({ test, pointer, result }) => [test, pointer, result.outcome])).toEqual([
      ["good", "/tests/0", "admit"],
      ["good", "/tests/0", "admit"],
      ["bad", "/tests/1", "refuse"],
      ["held", "/tests/2", "admit"],
    ]);
    expect(seen.map(({ event }) => event.rule)).toEqual([
      undefined,
      undefined,
      "/routes/GET ~1slow/authorize/roles",
      undefined,
    ]);
    expect(seen.every(({ event }) => (event.trace ?? []).length > 0)).toBe(true);
  });

  it("is about another policy, where one is given in place of the file's", async () => {
    const { roles: _roles, ...rest } = policy;
    const open: PolicyDocument = {
      ...rest,
      name: "mutant",
      routes: { "GET /slow": { authorize: "authenticated" } },
      limits: {},
    };
    const report = await run([bad], {}, { policy: open });
    expect(report).toMatchObject({ policy: "mutant", passed: 1, failed: 0 });
    expect((await run([{ ...good, expect: { route: "GET /three" } }], {}, { policy: open })).failed).toBe(1);
  });

  it("does not come from a policy that cannot be served", async () => {
    const broken = { ...policy, routes: { "GET /x": { authorise: "anyone" } } };
    await expect(runPolicyTests({ policy: broken, tests: [good] })).rejects.toThrow(PolicyError);
    await expect(runPolicyTests({ policy: broken, tests: [good] })).rejects.toThrow(
      "unknown key `authorise`",
    );
  });

  it("finds the policy beside the file of tests, and its lines", async () => {
    const folder = mkdtempSync(join(tmpdir(), "gatehouse-run-"));
    try {
      mkdirSync(join(folder, "tests"));
      writeFileSync(join(folder, "policy.json"), JSON.stringify(policy));
      const path = join(folder, "tests/one.policy-test.json");
      writeFileSync(path, `{\n"policy": "../policy.json",\n"tests": [\n${JSON.stringify(good)}\n]}`);
      const report = await runPolicyTests(path);
      expect(report).toMatchObject({ file: path, passed: 1, tests: [{ line: 4 }] });
      const loose: PolicyTestFile = { policy: "policy.json", tests: [good] };
      expect(await runPolicyTests(loose, { folder })).toMatchObject({ file: undefined, passed: 1 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
