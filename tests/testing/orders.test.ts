/** The example's own tests hold, and each of them is one that could fail. */
import type { PolicyDocument } from "@gatehouse/core";
import { readPolicy } from "@gatehouse/core/node";
import { readPolicyTests, runPolicyTests } from "@gatehouse/core/testing";
import { never } from "@gatehouse/core/testing/properties";
import fc from "fast-check";
import { expect, it } from "vitest";

const file = new URL("../../examples/orders/orders.policy-test.json", import.meta.url).pathname;
const policy = new URL("../../examples/orders/policy.jsonc", import.meta.url).pathname;

it("the orders API keeps what its tests promise", async () => {
  const report = await runPolicyTests(file);
  const failures = report.tests.flatMap(({ failures }) => failures.map(({ message }) => message));
  expect(failures).toEqual([]);
  expect(report).toMatchObject({ policy: "orders-api", failed: 0 });
  expect(report.passed).toBeGreaterThan(30);
});

it.each<[what: string, change: (policy: PolicyDocument) => PolicyDocument]>([
  ["plain HTTP is served", (whole) => ({ ...whole, transport: { ...whole.transport, https: "off" } })],
  [
    "every host is served",
    (whole) => ({ ...whole, transport: { ...whole.transport, hosts: ["*.example", "evil.example"] } }),
  ],
  ["every page may read", (whole) => ({ ...whole, cors: { origins: ["*"] } })],
  [
    "the audit is for clerks",
    (whole) => ({ ...whole, groups: { "/admin": { require: { roles: ["clerk"] } } } }),
  ],
  [
    "a customer is an admin",
    (whole) => ({ ...whole, roles: { ...whole.roles, customer: ["admin"], admin: [] } }),
  ],
  ["no limit is taken", (whole) => ({ ...whole, defaults: { ...whole.defaults, limits: [] } })],
])("the tests notice where %s", async (_what, change) => {
  const tests = await readPolicyTests(file);
  const report = await runPolicyTests(tests, { policy: change(await readPolicy(policy)) });
  expect(report.failed).toBeGreaterThan(0);
});

it.each([
  "anonymous reaches POST /orders",
  "anonymous reaches /tenants/*",
  "anyone without role admin reaches /admin/*",
  "anyone without scope orders:write reaches POST /orders",
  "anyone without role customer reaches /tenants/:tenant/orders/:id",
])("never: %s", { timeout: 60_000 }, async (statement) => {
  const { runs } = await never(policy, statement, { fc });
  expect(runs).toBeGreaterThanOrEqual(200);
});
