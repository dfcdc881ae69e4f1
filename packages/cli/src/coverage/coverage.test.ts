import { expect, it } from "vitest";
import type { PolicyDocument } from "@gatehouse/core";
import { runPolicyTests, type PolicyTestFile } from "@gatehouse/core/testing";
import { CoverageOf, type PolicyCoverage } from "./coverage.js";

const policy = {
  gatehouse: 1,
  name: "notes",
  transport: { hosts: ["a.example", "b.example"] },
  cors: { origins: ["https://shop.example"] },
  authenticators: {
    key: { type: "api-key", in: "header", name: "X-Key", keys: { secret: "env:KEYS" } },
  },
  roles: { admin: [], clerk: [], reader: [] },
  limits: { few: { limit: 2, window: "1m", by: "client.ip", when: "request.method == 'GET' || false" } },
  schemas: {
    Note: { type: "object", required: ["text"], properties: { text: { type: "string", maxLength: 3 } } },
  },
  routes: {
    "POST /notes/:id": {
      authorize: [
        { roles: ["admin", "clerk"] },
        { scopes: ["w"], when: "!(principal.tenant == params.id) && 'reader' in principal.roles" },
      ],
      limits: ["few"],
      request: { params: { id: { type: "string", minLength: 2 } }, body: { $ref: "#/schemas/Note" } },
      response: {
        body: { type: "object", properties: { text: { type: "string" } } },
        redact: { "/text": { action: "mask", unless: { roles: ["admin"] } } },
      },
    },
  },
} as const satisfies PolicyDocument;

async function coverageBy(...tests: readonly object[]): Promise<PolicyCoverage> {
  const file = {
    policy,
    people: {
      admin: { roles: ["admin"] },
      reader: { roles: ["reader"], scopes: ["w"], attributes: { tenant: "acme" } },
    },
    tests: tests.map((test, index) => ({ name: `${index}`, expect: { absent: ["/none"] }, ...test })),
  } as unknown as PolicyTestFile;
  const coverage = new CoverageOf("policy.json", policy);
  await runPolicyTests(file, { onDecision: (seen) => coverage.see(seen, file) });
  return coverage.report();
}

const post = (more: object = {}): object => ({
  method: "POST",
  target: "/notes/acme",
  body: { text: "a" },
  ...more,
});
const lines = ({ uncovered }: PolicyCoverage): string[] =>
  uncovered.map(({ kind, pointer, outcome, part }) =>
    [
      kind,
      pointer.replace("/routes/POST ~1notes~1:id", "…"),
      ...(part === undefined ? [] : [part]),
      outcome,
    ].join(" | "),
  );

it("is a closed list, of which nothing is reached without tests", async () => {
  const found = await coverageBy({ request: "GET /elsewhere" });
  expect(found.covered).toBe(3);
  expect(found.total).toBe(58);
  expect(lines(found)).toEqual(lines(await coverageBy({ request: "GET /elsewhere" })));
});

it("tells each part of a condition, each entry and each keyword apart", async () => {
  const found = await coverageBy(
    {
      as: "admin",
      request: post({ headers: { Origin: "https://shop.example" } }),
      answer: { body: { text: "t", more: 1 } },
    },
    { as: "reader", request: post({ body: { text: "long" }, host: "b.example" }) },
    { as: "reader", request: post({ target: "/notes/ab" }), answer: { body: { text: "t" } } },
    { as: "reader", request: post({ target: "/notes/ab", body: { text: "long" } }) },
    { as: "reader", request: post({ target: "/notes/ab", body: {} }) },
    { as: "reader", request: post({ target: "/notes/a" }) },
  );
  const when = "…/authorize/1/when";
  expect(
    lines(found).filter((line) =>
      /conditions|authorize|schemas|redactions|cors|transport|responses/u.test(line),
    ),
  ).toEqual([
    "authorize | …/authorize/0/roles/1 | held",
    "authorize | …/authorize/1/scopes | missed",
    `conditions | ${when} | 'reader' in principal.roles | false`,
    "schemas | /schemas/Note/type | refused",
    "schemas | /schemas/Note/properties/text/type | refused",
    "cors | /cors | preflight granted",
    "cors | /cors | preflight not granted",
    "cors | /cors | stranger",
    "conditions | /limits/few/when | request.method == 'GET' || false | true",
    "conditions | /limits/few/when | request.method == 'GET' | true",
    "transport | /transport/https | refused",
    "transport | /transport/hosts | refused",
  ]);
});

it("counts what is shed, and each of its classes", async () => {
  const shed = {
    ...policy,
    shed: { signal: "event-loop", classes: { writes: 0.5 } },
    defaults: { shed: "writes" },
  } as const satisfies PolicyDocument;
  const file = {
    policy: shed,
    people: { reader: { roles: ["reader"] } },
    tests: [{ name: "one", as: "reader", request: post(), expect: { absent: ["/none"] } }],
  } as unknown as PolicyTestFile;
  const coverage = new CoverageOf("policy.json", shed);
  await runPolicyTests(file, { onDecision: (seen) => coverage.see(seen, file) });
  expect(lines(coverage.report()).filter((line) => line.includes("shed"))).toEqual([
    "limits | /shed | refused",
    "limits | /shed/classes/writes | refused",
  ]);
});
