/** The example's own tests hold, and each of them is one that could fail. */
import { runPolicyTests } from "@gatehouse/core/testing";
import { expect, it } from "vitest";

const file = new URL("../../examples/orders/orders.policy-test.json", import.meta.url).pathname;

it("the orders API keeps what its tests promise", async () => {
  const report = await runPolicyTests(file);
  const failures = report.tests.flatMap(({ failures }) => failures.map(({ message }) => message));
  expect(failures).toEqual([]);
  expect(report).toMatchObject({ policy: "orders-api", failed: 0 });
  expect(report.passed).toBeGreaterThan(30);
});
