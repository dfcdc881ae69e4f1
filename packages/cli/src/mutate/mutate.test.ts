import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { checkPolicy, PolicyError, type PolicyDocument } from "@gatehouse/core";
import { PolicyTestError, runPolicyTests, type PolicyTestFile } from "@gatehouse/core/testing";
import { brokenBy, errorOf } from "./judges.js";
import { mutatePolicy, suggestedTests } from "./mutate.js";
import { mutated } from "./mutant.js";
import { mutantsOf } from "./mutants.js";
import { FailingTestsError } from "./suite.js";
import { findWitness } from "./witness.js";

const policy = {
  gatehouse: 1,
  name: "notes",
  authenticators: {
    key: { type: "api-key", in: "header", name: "X-Key", keys: { secret: "env:KEYS" } },
  },
  roles: { admin: [], reader: [] },
  limits: { few: { limit: 2, window: "1m", by: "client.ip" } },
  routes: {
    "GET /tenants/:tenant/notes": {
      authorize: { roles: ["reader"], when: "principal.tenant == params.tenant" },
      limits: ["few"],
      response: { body: { type: "object", properties: { id: { type: "string" } } } },
    },
  },
} as const;

/** They look at what is admitted and at nothing else. */
const tests = {
  policy,
  people: { ann: { roles: ["reader"], attributes: { tenant: "acme" } } },
  tests: [
    {
      name: "a reader reads",
      as: "ann",
      request: "GET /tenants/acme/notes",
      expect: { outcome: "admit" },
    },
  ],
} as const;

const WANTED = [
  "always true",
  "always false",
  "`admin` will do too",
  "is `3`",
  "members that nobody declared leave too",
];

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "gatehouse-mutate-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, file: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(file));
  return path;
}

it("tells what no test notices, with a request that would, and writes those as tests", async () => {
  const [found] = await mutatePolicy([write("weak.policy-test.json", tests)], {
    only: (pointer, change) => pointer === "/roles" || WANTED.includes(change),
  });
  if (found === undefined) throw new Error("nothing was mutated");
  const told = found.mutants.map(({ pointer, change, status }) => [
    pointer.replace("/routes/GET ~1tenants~1:tenant~1notes", "…"),
    change,
    status,
  ]);
  expect(told).toContainEqual(["…/authorize/when", "always false", "killed"]);
  expect(told).toContainEqual(["…/authorize/when", "always true", "survived"]);
  expect(told).toContainEqual(["…/authorize/roles", "`admin` will do too", "survived"]);
  expect(told).toContainEqual(["/limits/few/limit", "is `3`", "survived"]);
  expect(told).toContainEqual(["…/response/body", "members that nobody declared leave too", "survived"]);
  expect(told).toContainEqual(["/roles", "left out", "refused"]);
  const survivors = found.mutants.filter(({ status }) => status === "survived");
  expect(survivors.length).toBe(found.survived);
  expect(found.score).toBe(Math.floor((found.killed / (found.killed + found.survived)) * 100));
  expect(survivors.filter(({ witness }) => witness === undefined)).toEqual([]);

  const suggested = suggestedTests(found) as PolicyTestFile;
  const file = { ...suggested, policy } as PolicyTestFile;
  const report = await runPolicyTests(file);
  expect(report.failed).toBe(0);
  for (const { pointer, change } of survivors) {
    const mutant = mutantsOf(policy).find((one) => one.pointer === pointer && one.change === change);
    if (mutant === undefined) throw new Error(`no mutant ${change}`);
    const changed = await runPolicyTests(file, { policy: mutated(policy, mutant) });
    expect([pointer, change, changed.failed > 0]).toEqual([pointer, change, true]);
  }
  const both = await mutatePolicy(
    [write("weak.policy-test.json", tests), write("more.policy-test.json", file)].slice(1),
    { witnesses: false },
  );
  expect(both[0]?.score).toBeGreaterThan(found.score);
}, 60_000);

it("mutates nothing whose tests fail", async () => {
  const failing = { ...tests, tests: [{ ...tests.tests[0], expect: { outcome: "refuse" } }] };
  const error = await mutatePolicy([write("failing.policy-test.json", failing)]).catch(
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(FailingTestsError);
  expect(String(error)).toContain("`a reader reads` fails");
});

it("tells of a policy that cannot be served as the check does, before anything of it is read", async () => {
  const [key] = Object.keys(policy.routes);
  const route = { ...policy.routes["GET /tenants/:tenant/notes"], limits: "none" };
  const broken = { ...policy, routes: { [String(key)]: route } };
  const error = await mutatePolicy([write("broken.policy-test.json", { ...tests, policy: broken })]).catch(
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(PolicyError);
  expect((error as PolicyError).diagnostics).toEqual(checkPolicy(broken));
});

it("hands on what broke in a thread as what it was", () => {
  const [diagnostic] = checkPolicy({});
  if (diagnostic === undefined) throw new Error("the check found nothing");
  for (const error of [
    new PolicyError([diagnostic]),
    new PolicyTestError([diagnostic]),
    new FailingTestsError("`x` fails"),
    new Error("it broke"),
  ]) {
    // As between threads, where an error loses its class.
    const back = errorOf(structuredClone(brokenBy(error)));
    expect(back).toBeInstanceOf(error.constructor);
    expect(back.message).toBe(error.message);
  }
});

it("refuses an option that nobody knows", async () => {
  await expect(mutatePolicy([], { job: 2 } as object)).rejects.toThrow(
    "unknown option `job`: did you mean `jobs`?",
  );
});

it("changes who is shed, and how much is kept for whom", () => {
  const route = { authenticate: "none" } as const;
  const shed = {
    ...policy,
    shed: { signal: "concurrency", limit: 10, classes: { pay: 0.5 } },
    routes: { "GET /a": route, "GET /pay": { ...route, shed: "pay" } },
  } as const satisfies PolicyDocument;
  const found = mutantsOf(shed).map(({ pointer, change }) => `${pointer} ${change}`);
  for (const one of [
    "/shed left out",
    "/shed/limit is `11`",
    "/shed/limit is `9`",
    "/shed/classes/pay is `0.25`",
    "/shed/classes/pay is `1`",
    "/routes/GET ~1a is never shed",
    '/routes/GET ~1pay/shed is `"never"`',
    '/routes/GET ~1pay/shed is `"default"`',
  ])
    expect(found).toContain(one);
});

const wide = {
  gatehouse: 1,
  name: "wide",
  transport: { hosts: ["a.example"], trust: { peers: ["10.0.0.0/8"], header: "x-forwarded-for" } },
  authenticators: {
    user: {
      type: "jwt",
      issuer: "https://id.example.com/",
      audience: "wide",
      algorithms: ["ES256"],
      keys: { pem: { secret: "env:KEY" } },
    },
  },
  routes: {
    "GET /chat": { authenticate: "none", upgrade: "websocket" },
    "GET /news": { authorize: { stepUp: { acr: ["strong", "stronger"], maxAge: "5m" } } },
    "POST /notes": {
      authenticate: "none",
      request: {
        body: { type: "object", properties: { text: { type: "string" } } },
        sanitize: { "/text": "text" },
      },
      response: {
        body: { type: "object", properties: { text: { type: "string" } } },
        sanitize: { "/text": "text" },
        events: { type: "object", properties: { text: { type: "string" } } },
      },
    },
  },
} as const;

it.each([
  "/transport/trust left out",
  "/transport/trust/peers the word of `private` is believed too",
  "/transport/trust what they say of the host is believed",
  "/routes/GET ~1chat/upgrade left out",
  "/routes/GET ~1news lets connections be upgraded",
  "/routes/GET ~1news/authorize/stepUp/acr left out",
  '/routes/GET ~1news/authorize/stepUp/acr/1 without `"stronger"`',
  "/routes/GET ~1news/authorize/stepUp/maxAge left out",
  "/routes/GET ~1news/authorize/stepUp/maxAge is `10m`",
  "/routes/POST ~1notes/request/sanitize/~1text left out",
  "/routes/POST ~1notes/response/sanitize/~1text left out",
  "/routes/POST ~1notes/response/events left out",
  "/routes/POST ~1notes lets whole events out",
  "/routes/POST ~1notes/response/events/properties/text left out",
])("makes a mutant and finds a request that tells it apart: %s", async (wanted) => {
  const mutant = mutantsOf(wide).find(({ pointer, change }) => `${pointer} ${change}` === wanted);
  if (mutant === undefined) throw new Error("no such mutant");
  expect(await findWitness({ policy: wide, files: [] }, mutant)).toBeDefined();
});

it("turns one way of cleaning texts into the other", () => {
  const changes = mutantsOf(wide).filter(({ change }) => change === 'is `"html"`');
  expect(changes.map(({ pointer }) => pointer)).toEqual([
    "/routes/POST ~1notes/request/sanitize/~1text",
    "/routes/POST ~1notes/response/sanitize/~1text",
  ]);
});
