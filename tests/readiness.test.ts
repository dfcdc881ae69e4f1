/** A load balancer's probe, behind the guard of every adapter. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createEngine, readiness, type HealthStatus, type PolicyDocument } from "@gatehouse/core";
import { gatehouse as express } from "@gatehouse/express";
import { gatehouse as fastify } from "@gatehouse/fastify";
import { guard as fetchGuard } from "@gatehouse/fetch";
import { guard } from "@gatehouse/node-http";
import { serve } from "@hono/node-server";
import makeExpress from "express";
import makeFastify from "fastify";
import { afterEach, expect, it } from "vitest";

const policy: PolicyDocument = {
  gatehouse: 1,
  name: "probed",
  transport: { https: "off" },
  shed: { signal: "concurrency", limit: 10 },
  routes: { "GET /ready": { authenticate: "none", shed: "never", transport: "any" } },
};

const ended: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

type Engine = Awaited<ReturnType<typeof createEngine>>;
type Ready = ReturnType<typeof readiness>;

const servers: Readonly<Record<string, (engine: Engine, ready: Ready) => Promise<number>>> = {
  "node:http": async (engine, ready) => {
    const server = createServer(
      guard(engine, (_req, res) => {
        const { status, headers, body } = ready();
        res.writeHead(status, Object.fromEntries(headers)).end(body);
      }),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    ended.push(() => server.close());
    return (server.address() as AddressInfo).port;
  },
  express: async (engine, ready) => {
    const app = makeExpress();
    app.use(express(engine));
    app.get("/ready", (_req, res) => {
      const { status, headers, body } = ready();
      res.status(status).set(Object.fromEntries(headers)).send(body);
    });
    const server = app.listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    ended.push(() => server.close());
    return (server.address() as AddressInfo).port;
  },
  fastify: async (engine, ready) => {
    const app = makeFastify();
    await app.register(fastify, { engine });
    app.get("/ready", (_request, reply) => {
      const { status, headers, body } = ready();
      return reply.code(status).headers(Object.fromEntries(headers)).send(body);
    });
    await app.listen({ port: 0, host: "127.0.0.1" });
    ended.push(() => app.close());
    return (app.server.address() as AddressInfo).port;
  },
  fetch: async (engine, ready) => {
    const handler = fetchGuard(
      engine,
      () => {
        const { status, headers, body } = ready();
        return new Response(body, { status, headers: headers.map(([name, value]) => [name, value]) });
      },
      { remoteAddress: () => "127.0.0.1" },
    );
    return new Promise((resolve) => {
      const server = serve({ fetch: handler, port: 0, hostname: "127.0.0.1" }, ({ port }) => resolve(port));
      ended.push(() => server.close());
    });
  },
};

it.each(Object.entries(servers))("%s tells whether it should be given requests", async (_name, start) => {
  const engine = await createEngine(policy);
  ended.push(() => engine.close());
  let status: HealthStatus = "ok";
  engine.addHealth("database", () => ({ status }));
  const port = await start(engine, readiness(engine));
  const seen: unknown[] = [];
  for (const next of ["ok", "degraded", "failing"] as const) {
    status = next;
    const answer = await fetch(`http://127.0.0.1:${port}/ready`);
    const body = (await answer.json()) as { readonly status: unknown };
    seen.push([answer.status, answer.headers.get("cache-control"), body.status]);
  }
  expect(seen).toEqual([
    [200, "no-store", "ok"],
    [200, "no-store", "degraded"],
    // The policy's own body.
    [503, "no-store", 503],
  ]);
});
