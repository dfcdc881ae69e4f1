// One policy and one application for every runtime: with the guard alone, and in hono.
import { createEngine } from "@gatehouse/core";
import { gatehouse, guard } from "@gatehouse/fetch";
import { Hono } from "hono";

const orderSchema = { type: "object", properties: { id: { type: "string" }, sku: { type: "string" } } };

const policy = {
  gatehouse: 1,
  name: "runtimes",
  transport: { https: "off" },
  authenticators: {
    partner: { type: "api-key", in: "header", name: "X-API-Key", keys: { secret: "app:keys" } },
  },
  roles: { clerk: ["customer"], customer: [] },
  limits: { "per-ip": { limit: 1000, window: "1m", by: "client.ip" } },
  defaults: { authenticate: ["partner"], limits: ["per-ip"] },
  routes: {
    "GET /health": { authenticate: "none" },
    "GET /tally": { authenticate: "none" },
    "GET /stream": { authenticate: "none" },
    "GET /cookies": { authenticate: "none" },
    "GET /socket": { authenticate: "none", upgrade: "websocket" },
    "POST /upload": { authenticate: "none", request: { types: ["text/plain"], maxBody: "64kB" } },
    "GET /orders/:id": { authorize: { roles: ["customer"] }, response: { body: orderSchema } },
    "POST /orders": {
      authorize: { roles: ["clerk"], when: "principal.tenant == 'acme'" },
      request: {
        body: {
          type: "object",
          required: ["sku", "quantity"],
          properties: {
            sku: { type: "string", pattern: "^[A-Z0-9-]{4,20}$" },
            quantity: { type: "integer", minimum: 1, maximum: 100 },
          },
        },
      },
      response: { body: orderSchema },
    },
  },
};

/** Keys of a test, not secrets. */
async function keys() {
  const record = async (id, key, roles) => {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key));
    const sha256 = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return { id, sha256, roles, scopes: [], attributes: { tenant: "acme" } };
  };
  return JSON.stringify([
    await record("clerk", "clerk-key-0123456789abcdef0123456789abcdef", ["clerk"]),
    await record("customer", "customer-key-0123456789abcdef0123456789ab", ["customer"]),
  ]);
}

/** What the handler holds, more than the policy lets out. */
const order = { id: "1", sku: "TEA-0001", margin: "planted-secret" };

/** Route to what it answers. `read` gives the body as text. */
const application = (tally, upgrade) => ({
  "GET /health": () => Response.json({ ok: true }),
  "GET /tally": () => Response.json(tally),
  "GET /stream": () => {
    let left = 3;
    const body = new ReadableStream({
      pull: (controller) => {
        if (left-- > 0) controller.enqueue(new TextEncoder().encode("data: x\n\n"));
        else controller.close();
      },
    });
    return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
  },
  "GET /cookies": () => {
    const headers = new Headers();
    headers.append("Set-Cookie", "a=1");
    headers.append("Set-Cookie", "b=2");
    return new Response("cookies", { headers });
  },
  "GET /socket": (request, rest) => upgrade(request, ...rest),
  "POST /upload": async (request) => new Response(String((await request.text()).length)),
  "GET /orders/:id": () => Response.json(order),
  "POST /orders": async (request) => Response.json({ ...order, ...(await request.json()) }, { status: 201 }),
});

/**
 * @param mode `guard` or `hono`
 * @param facts what this runtime knows of a request, given what its server hands over
 * @param upgrade how this runtime takes a websocket
 */
export async function make(mode, facts, upgrade) {
  const tally = { admit: 0, refuse: 0, answer: 0, aborted: 0 };
  const list = await keys();
  const engine = await createEngine(policy, {
    secrets: { get: (reference) => (reference === "app:keys" ? list : undefined) },
    onDecision: ({ outcome }) => {
      tally[outcome] += 1;
    },
  });
  const routes = application(tally, upgrade);
  if (mode === "guard") {
    return guard(engine, (request, { route }, ...rest) => routes[route](request, rest), {
      remoteAddress: facts.remoteAddress,
    });
  }
  const app = new Hono();
  app.use(
    gatehouse(engine, {
      app,
      inventory: "strict",
      remoteAddress: (request, { env }) => facts.remoteAddress(request, env),
    }),
  );
  for (const [key, handler] of Object.entries(routes)) {
    const [method, path] = key.split(" ");
    app.on(method, path, (c) => handler(c.req.raw, [c.env]));
  }
  return app.fetch;
}
