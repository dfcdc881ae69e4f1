/** Methods that fastify's router knows nothing of, not even a 404: Node's parser hands some on where a request names no version. */
import { createServer, type RequestListener } from "node:http";
import { connect } from "node:http2";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { later, policyOf } from "../servers/wire.js";
import { ask, built, serve } from "./support.js";
import { portOf } from "./target.js";

const POLICY = policyOf({ "GET /x": {} }, { headers: { "X-Of-The-Policy": "a" } });

describe.each(["PRI", "DESCRIBE", "TEARDOWN"])("%s without a version", (method) => {
  it("is decided, and the application hears nothing of it", async () => {
    const heard: unknown[] = [];
    const served = await serve(POLICY, (app) => {
      app.setErrorHandler((error) => void heard.push(error));
    });
    const answer = await ask(served, `${method} /x`);
    expect([answer.status, answer.header("x-of-the-policy")]).toEqual([405, "a"]);
    expect(answer.header("content-type")).toBe("application/problem+json");
    expect(served.events.map(({ outcome, code }) => [outcome, code])).toEqual([
      ["refuse", "method-not-allowed"],
    ]);
    expect(heard).toEqual([]);
  });

  it("is no method of `*` either", async () => {
    const served = await serve(policyOf({ "* /*": {} }), () => 0);
    expect((await ask(served, `${method} /x`)).status).toBe(405);
  });

  it("is fastify's own where the policy observes", async () => {
    const served = await serve({ ...policyOf({ "GET /x": {} }), mode: "observe" }, () => 0);
    const answer = await ask(served, `${method} /x`);
    expect([answer.status, answer.text]).toEqual([404, expect.stringContaining("FST_ERR_NOT_FOUND")]);
    expect(served.events).toHaveLength(1);
  });
});

describe("is decided alike", () => {
  it("as the first request of a server of the application's own, which it leads to fastify", async () => {
    const { app, guard, events } = await built(POLICY);
    const heard: unknown[] = [];
    guard();
    app.setErrorHandler((error) => void heard.push(error));
    await app.ready();
    const server = createServer((req, res) => app.routing(req, res));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    later(() => new Promise<void>((resolve) => server.close(() => resolve()).closeAllConnections()));
    const { port } = server.address() as AddressInfo;
    const answer = await ask({ port }, "PRI /x");
    expect([answer.status, answer.header("x-of-the-policy"), events.length]).toEqual([405, "a", 1]);
    expect(heard).toEqual([]);
  });

  it("by a server that is given fastify's listener late", async () => {
    const listeners: (() => void)[] = [];
    const { app, guard, events } = await built(POLICY, {
      fastify: {
        serverFactory: (listener: RequestListener) => {
          const server = createServer({ requireHostHeader: false });
          listeners.push(() => server.on("request", listener));
          return server;
        },
      },
    });
    guard();
    await app.ready();
    for (const listen of listeners) listen();
    await app.listen({ port: 0, host: "127.0.0.1" });
    const answer = await ask({ port: portOf(app) }, "PRI /x");
    expect([answer.status, answer.header("x-of-the-policy"), events.length]).toEqual([405, "a", 1]);
  });

  it.each(["FOO", "__proto__", "toString"])(
    "over HTTP/2: `%s`, a token that no Node knows",
    async (method) => {
      const served = await serve(POLICY, () => 0, { fastify: { http2: true } });
      const session = connect(`http://127.0.0.1:${served.port}`);
      later(() => session.destroy());
      const stream = session.request({ ":path": "/x", ":method": method });
      stream.resume().end();
      const fields = await new Promise<Readonly<Record<string, unknown>>>((resolve, reject) => {
        stream.on("response", resolve).on("error", reject);
      });
      expect([fields[":status"], fields["x-of-the-policy"], served.events.length]).toEqual([405, "a", 1]);
    },
  );
});
