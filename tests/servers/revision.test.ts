/** The revision is a hash of the whole policy: an adapter that compares it asks before the first request, which would wait for it. */
import { createServer } from "node:http";
import { afterEach, expect, it, vi } from "vitest";
import { createEngine } from "@gatehouse/core";
import { gatehouse as guardExpress } from "@gatehouse/express";
import { gatehouse as guardFastify } from "@gatehouse/fastify";
import express from "express";
import Fastify from "fastify";
import { listen, stop } from "../node-http/target.js";
import { later, policyOf } from "./wire.js";

const NAME = "spelled-out-for-its-hash-alone";
const POLICY = { ...policyOf({ "GET /a": {} }), name: NAME };

afterEach(() => vi.restoreAllMocks());

/** The canonical form of a document spells its name out once. */
function spelledOut(): () => number {
  const spy = vi.spyOn(JSON, "stringify");
  return () => spy.mock.calls.filter(([value]) => value === NAME).length;
}

it("express: no request waits for the hash of a policy", async () => {
  const count = spelledOut();
  const engine = await createEngine(POLICY);
  const app = express();
  app.use(guardExpress(engine));
  app.get("/a", (_request, response) => void response.json({ fine: true }));
  const server = createServer(app);
  const port = await listen(server);
  later(async () => {
    await stop(server);
    await engine.close();
  });
  const before = count();
  expect((await fetch(`http://127.0.0.1:${port}/a`)).status).toBe(200);
  expect([before, count()]).toEqual([1, 1]);
});

it("fastify: no request waits for the hash of a policy", async () => {
  const count = spelledOut();
  const engine = await createEngine(POLICY);
  const app = Fastify();
  await app.register(guardFastify, { engine });
  app.get("/a", () => ({ fine: true }));
  later(async () => {
    await app.close();
    await engine.close();
  });
  const at = await app.listen({ host: "127.0.0.1", port: 0 });
  const before = count();
  expect((await fetch(`${at}/a`)).status).toBe(200);
  expect([before, count()]).toEqual([1, 1]);
});
