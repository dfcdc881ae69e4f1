// The adapters for frameworks, built, on whatever Node runs this: admitted and cut, refused, and told apart.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createRequire } from "node:module";
import { test } from "node:test";
import { createEngine } from "@gatehouse/core";
import * as forExpress from "@gatehouse/express";
import * as forFastify from "@gatehouse/fastify";
import { guard } from "@gatehouse/fetch";
import express from "express";
import Fastify from "fastify";
import { key, policy, secrets } from "./policy.mjs";

const answer = { id: "1", sku: "TEA-0001", margin: 0.7 };

/** The same three requests of every server. */
async function ask(send) {
  const post = (body, headers) =>
    send("/orders", {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  const good = { sku: "TEA-0001", quantity: 2 };
  const admitted = await post(good, { "X-API-Key": key });
  assert.equal(admitted.status, 200);
  assert.deepEqual(await admitted.json(), { id: "1", sku: "TEA-0001" });
  assert.equal((await post(good, {})).status, 401);
  assert.equal((await post({ ...good, quantity: 0 }, { "X-API-Key": key })).status, 422);
  const nowhere = await send("/nowhere", {});
  assert.equal(nowhere.status, 404);
  assert.equal((await nowhere.json()).code, "not-found");
}

test("require() and import give one adapter", () => {
  const require = createRequire(import.meta.url);
  assert.equal(require("@gatehouse/express").gatehouse, forExpress.gatehouse);
  assert.equal(require("@gatehouse/fastify").gatehouse, forFastify.gatehouse);
  assert.equal(require("@gatehouse/fetch").guard, guard);
});

test("express", async () => {
  const engine = await createEngine(policy, { secrets });
  const app = express();
  app.use(forExpress.gatehouse(engine, { inventory: "strict" }));
  app.get("/health", (_request, response) => response.json({}));
  app.post("/orders", (_request, response) => response.json(answer));
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await ask((path, init) => fetch(`http://127.0.0.1:${server.address().port}${path}`, init));
  } finally {
    server.closeAllConnections();
    server.close();
    await engine.close();
  }
});

test("fastify", async () => {
  const engine = await createEngine(policy, { secrets });
  const app = Fastify();
  await app.register(forFastify.gatehouse, { engine, inventory: "strict" });
  app.get("/health", async () => ({}));
  app.post("/orders", async () => answer);
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  try {
    await ask((path, init) => fetch(`${url}${path}`, init));
  } finally {
    app.server.closeAllConnections();
    await app.close();
    await engine.close();
  }
});

test("fetch", async () => {
  const engine = await createEngine(policy, { secrets });
  const guarded = guard(engine, () => Response.json(answer));
  try {
    await ask((path, init) => guarded(new Request(`http://a.test${path}`, init)));
  } finally {
    await engine.close();
  }
});
