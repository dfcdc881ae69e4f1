/** Faults of the engine's own: whatever throws, nothing that the policy has not shaped leaves, and the process lives. */
import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { createEngine, type Engine, type Exchange } from "@gatehouse/core";
import { guard } from "@gatehouse/node-http";
import { ask, later, policyOf, serve } from "./support.js";
import { listen, stop } from "./target.js";

const POLICY = policyOf({
  "POST /": {
    request: { body: { type: "object", properties: { a: { type: "string" } } } },
    response: { body: { type: "object", properties: { id: { type: "string" } } } },
  },
  "GET /": {},
});

/** The engine, with one of its exchanges' methods broken. */
function broken(engine: Engine, method: keyof Exchange, how: "throws" | "rejects"): Engine {
  const fail = (): unknown => {
    if (how === "rejects") return Promise.reject(new Error("canary"));
    throw new Error("canary");
  };
  return {
    ...engine,
    bind: (matching) => {
      const bound = engine.bind(matching);
      return {
        name: bound.name,
        revision: bound.revision,
        evaluate: (request) => bound.evaluate(request),
        inventory: (registered) => bound.inventory(registered),
        open: (request) =>
          new Proxy(bound.open(request), {
            get: (exchange, name) => {
              if (name === method) return fail;
              const value: unknown = Reflect.get(exchange, name, exchange);
              return typeof value === "function" ? (value.bind(exchange) as unknown) : value;
            },
          }),
      };
    },
  };
}

describe("fault_never_admits", () => {
  it.each([
    { method: "head", how: "throws" },
    { method: "head", how: "rejects" },
    { method: "body", how: "throws" },
    { method: "body", how: "rejects" },
    { method: "respond", how: "throws" },
  ] as const)("$method $how", async ({ method, how }) => {
    const errors: string[] = [];
    let ran = 0;
    const engine = broken(await createEngine(POLICY), method, how);
    const server = guard(
      engine,
      (_req, res) => {
        ran++;
        res.end('{"id":"o-1","secret":"canary"}');
      },
      { onError: (error) => void errors.push(String(error)) },
    ).attach(createServer());
    const port = await listen(server);
    later(() => stop(server));
    const head = "POST / HTTP/1.1\nContent-Type: application/json\nContent-Length: 9";
    const answer = await ask({ port }, head, '{"a":"b"}');
    expect([answer.status, ran]).toEqual([500, method === "respond" ? 1 : 0]);
    expect(answer.text + JSON.stringify(answer.headers)).not.toContain("canary");
    expect(errors).toEqual(["Error: canary"]);
    expect((await ask({ port }, "GET /nope HTTP/1.1")).status).toBe(method === "head" ? 500 : 404);
  });

  it("not even when the failure cannot be shaped", async () => {
    const engine = broken(await createEngine(POLICY), "fail", "throws");
    const server = guard(
      engine,
      () => {
        throw new Error("handler's");
      },
      { onError: () => undefined },
    ).attach(createServer());
    const port = await listen(server);
    later(() => stop(server));
    const answer = await ask({ port }, "GET / HTTP/1.1");
    expect([answer.status, JSON.parse(answer.text)]).toEqual([
      500,
      { type: "about:blank", title: "Internal server error", status: 500 },
    ]);
  });

  it("a listener for errors that throws changes nothing", async () => {
    const served = await serve(
      POLICY,
      (_req, res) => {
        res.end("ok");
        throw new Error("late");
      },
      {
        guard: {
          onError: () => {
            throw new Error("the sink's own");
          },
        },
      },
    );
    expect((await ask(served, "GET / HTTP/1.1")).text).toBe("ok");
    expect((await ask(served, "GET / HTTP/1.1")).text).toBe("ok");
  });
});
