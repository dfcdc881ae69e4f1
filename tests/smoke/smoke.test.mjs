// Runs on the built packages with nothing but Node, so that any Node can be asked (scripts/runtimes.mjs).
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { test } from "node:test";
import * as core from "@gatehouse/core";
import { expectAdmitted, expectRefused, matchers, policyKit, runPolicyTests } from "@gatehouse/core/testing";
import * as adapter from "@gatehouse/node-http";
import { judge, key, policy, secrets } from "./policy.mjs";

const wanted = process.env.GATEHOUSE_EXPECT_NODE;

test(
  "this is the Node that was asked for",
  { skip: wanted === undefined && "no version was asked for" },
  () => {
    assert.ok(
      `${process.versions.node}.`.startsWith(`${wanted}.`),
      `asked for ${wanted}, running ${process.version}`,
    );
  },
);

test("require() and import give one instance", () => {
  const required = createRequire(import.meta.url)("@gatehouse/core");
  for (const [name, value] of Object.entries(core)) assert.equal(required[name], value, name);
});

test("the engine decides", async () => {
  assert.deepEqual(await judge(core.createEngine), []);
});

test("the policy is tested without a server", async () => {
  const people = { clerk: { roles: ["clerk"], attributes: { tenant: "acme" } } };
  const kit = await policyKit(policy, { people });
  const order = { sku: "TEA-0001", quantity: 2 };
  const admitted = await kit
    .as("clerk")
    .answering({ body: { id: "1", margin: 0.7 } })
    .post("/orders", order);
  expectAdmitted(admitted, { status: 200, body: { id: "1" } });
  const refused = await kit.anonymous.post("/orders", order);
  expectRefused(refused, { code: "unauthenticated", status: 401 });
  assert.throws(() => expectAdmitted(refused), /authenticate +refuse unauthenticated/);
  assert.equal(matchers.toBeRefused(refused, { status: 403 }).pass, false);
  await kit.close();

  const tests = [
    {
      name: "an order",
      as: "clerk",
      request: { method: "POST", target: "/orders", body: order },
      expect: { outcome: "admit" },
    },
  ];
  assert.equal((await runPolicyTests({ policy, people, tests })).passed, 1);
});

test("the adapter enforces over a socket", async () => {
  const engine = await core.createEngine(policy, { secrets });
  const server = createServer(
    adapter.guard(engine, (_request, response) => {
      // Not every Node counts in the same way.
      response.strictContentLength = true;
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify({ id: "1", sku: "TEA-0001", margin: 0.7 }));
    }),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}/orders`;
  const send = (body, headers) =>
    fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  try {
    const admitted = await send({ sku: "TEA-0001", quantity: 2 }, { "X-API-Key": key });
    assert.equal(admitted.status, 200);
    assert.deepEqual(await admitted.json(), { id: "1", sku: "TEA-0001" });
    assert.equal((await send({ sku: "TEA-0001", quantity: 2 }, {})).status, 401);
    assert.equal((await send({ sku: "TEA-0001", quantity: 0 }, { "X-API-Key": key })).status, 422);
  } finally {
    server.closeAllConnections();
    server.close();
    await engine.close();
  }
});
