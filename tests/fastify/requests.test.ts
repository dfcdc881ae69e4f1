/** What a handler reads: the engine's parse where a rule reads the request, fastify's own where none does. */
import { AsyncLocalStorage } from "node:async_hooks";
import { createServer, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { describe, expect, it } from "vitest";
import { policyOf, readable, Wire } from "../servers/wire.js";
import { ask, serve } from "./support.js";

const BODY = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
const POLICY = policyOf({
  "POST /read": { request: { body: BODY } },
  "POST /optional": { request: { body: BODY, bodyOptional: true } },
  "QUERY /search": { request: { body: BODY } },
  "POST /stream": { request: { maxBody: "1kB", types: ["application/json", "text/*", "x/own"] } },
  "GET /typed/:id": {
    request: {
      params: { id: { type: "integer" } },
      query: { page: { type: "integer", default: 1 } },
    },
  },
  "GET /plain/:id": {},
});

const echo = (
  app: FastifyInstance,
  method: "GET" | "POST" | "QUERY",
  url: string,
  rest: object = {},
): unknown =>
  app.route({
    method,
    url,
    ...rest,
    handler: ({ body, query, params, gatehouse, method: own, headers }) => ({
      body: body ?? null,
      same: body === gatehouse.body,
      query,
      params,
      method: own,
      type: headers["content-type"] ?? null,
    }),
  });

const posted = (path: string, type = "application/json"): string =>
  `POST ${path} HTTP/1.1\nContent-Type: ${type}`;

describe("bodies that a rule reads", () => {
  it("B7.113: the handler gets the engine's parse; no parser of the host's runs, and none is changed", async () => {
    const ran: string[] = [];
    const served = await serve(POLICY, (app) => {
      app.removeContentTypeParser("application/json");
      app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, payload, done) => {
        ran.push(String(payload));
        done(null, { own: true });
      });
      echo(app, "POST", "/read");
      echo(app, "POST", "/stream");
    });
    const read = await ask(served, posted("/read"), '{"n":1}');
    expect(JSON.parse(read.text)).toMatchObject({
      body: { n: 1 },
      same: true,
      method: "POST",
      type: "application/json",
    });
    expect(ran).toEqual([]);
    const streamed = await ask(served, posted("/stream"), '{"n":1}');
    expect([JSON.parse(streamed.text).body, ran]).toEqual([{ own: true }, ['{"n":1}']]);
  });

  it("in what an AsyncLocalStorage held when the request came", async () => {
    const storage = new AsyncLocalStorage<string>();
    const served = await serve(
      POLICY,
      (app) => app.post("/read", () => ({ held: storage.getStore() ?? "nothing" })),
      {
        fastify: {
          serverFactory: (handler) => createServer((req, res) => storage.run("it", () => handler(req, res))),
        },
      },
    );
    const answer = await ask(served, "POST /read HTTP/1.1\nContent-Type: application/json", '{"n":1}');
    expect(answer.text).toBe('{"held":"it"}');
  });

  it("in chunks", async () => {
    const served = await serve(POLICY, (app) => echo(app, "POST", "/read"));
    const wire = await Wire.open(served.port);
    wire.send(
      "POST /read HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    wire.send('3\r\n{"n\r\n').send('4\r\n":1}\r\n').send("0\r\n\r\n");
    expect(JSON.parse(readable(await wire.answer("POST")).text)).toMatchObject({ body: { n: 1 } });
  });

  it("QUERY, which fastify refuses without a type of its own", async () => {
    const served = await serve(POLICY, (app) => echo(app, "QUERY", "/search"));
    const answer = await ask(served, "QUERY /search HTTP/1.1\nContent-Type: application/json", '{"n":1}');
    expect(JSON.parse(answer.text)).toMatchObject({ body: { n: 1 }, method: "QUERY" });
  });

  it("an optional one that is empty", async () => {
    const served = await serve(POLICY, (app) => echo(app, "POST", "/optional"));
    const answer = await ask(served, `${posted("/optional")}\nContent-Length: 0`);
    expect([answer.status, JSON.parse(answer.text).body]).toEqual([200, null]);
  });

  it("finding 9: text on a route that wants JSON is 415 before fastify could validate by another type", async () => {
    const ran: string[] = [];
    const served = await serve(POLICY, (app) =>
      app.post("/read", { schema: { body: { content: { "application/json": { schema: BODY } } } } }, () =>
        ran.push("ran"),
      ),
    );
    expect((await ask(served, posted("/read", "text/plain"), '{"n":"x"}')).status).toBe(415);
    expect(ran).toEqual([]);
  });

  it("a schema of the host's validates the engine's parse, and coerces it where the host asks for that", async () => {
    const served = await serve(
      policyOf({ "POST /": { request: { body: { type: "object" }, unknown: "allow" } } }),
      (app) =>
        echo(app, "POST", "/", {
          schema: {
            body: {
              type: "object",
              required: ["count"],
              properties: { count: { type: "integer" }, size: { type: "integer", default: 7 } },
            },
          },
        }),
    );
    const good = await ask(served, posted("/"), '{"count":"5"}');
    expect(JSON.parse(good.text)).toMatchObject({ body: { count: 5, size: 7 }, same: true });
    expect((await ask(served, posted("/"), '{"count":"many"}')).status).toBe(400);
  });

  it("in a plugin with a kind of requests of its own: its hooks see the method before parsing too", async () => {
    const seen: string[] = [];
    const served = await serve(POLICY, (app) => {
      void app.register((scope, _options, done) => {
        scope.decorateRequest("own", 1);
        scope.addHook("preParsing", async ({ method }) => void seen.push(`preParsing ${method}`));
        scope.addHook("preValidation", async ({ method }) => void seen.push(`preValidation ${method}`));
        scope.addHook("onResponse", async ({ method }) => void seen.push(`onResponse ${method}`));
        echo(scope, "POST", "/read");
        echo(scope, "POST", "/stream");
        done();
      });
    });
    expect(JSON.parse((await ask(served, posted("/read"), '{"n":1}')).text)).toMatchObject({ same: true });
    await expect.poll(() => seen).toEqual(["preParsing POST", "preValidation POST", "onResponse POST"]);
    seen.length = 0;
    await ask(served, posted("/stream"), '{"n":1}');
    await expect.poll(() => seen).toEqual(["preParsing POST", "preValidation POST", "onResponse POST"]);
  });

  it("hooks of the host's see the method and the body from preValidation on", async () => {
    const seen: unknown[] = [];
    const served = await serve(POLICY, (app) => {
      app.addHook("preValidation", async ({ method, body }) => void seen.push(method, body));
      echo(app, "POST", "/read");
    });
    await ask(served, posted("/read"), '{"n":1}');
    expect(seen).toEqual(["POST", { n: 1 }]);
  });
});

describe("bodies that no rule reads", () => {
  it("stream to a parser that takes the stream", async () => {
    const served = await serve(POLICY, (app) => {
      app.addContentTypeParser("x/own", async (_request: FastifyRequest, payload: IncomingMessage) =>
        text(payload),
      );
      echo(app, "POST", "/stream");
    });
    const answer = await ask(served, posted("/stream", "x/own"), "as it came");
    expect(JSON.parse(answer.text)).toMatchObject({ body: "as it came" });
  });

  it("B7.112: `maxBody` counts, chunked too", async () => {
    const ran: string[] = [];
    const served = await serve(POLICY, (app) => app.post("/stream", () => ran.push("ran")));
    expect((await ask(served, posted("/stream", "text/plain"), "x".repeat(2000))).status).toBe(413);
    const wire = await Wire.open(served.port);
    wire.send(
      "POST /stream HTTP/1.1\r\nHost: a.test\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    wire.send(`7d0\r\n${"x".repeat(2000)}\r\n0\r\n\r\n`);
    expect([(await wire.answer("POST")).status, ran]).toEqual([413, []]);
  });
});

describe("query and params", () => {
  it("are what was validated where a map stands", async () => {
    const served = await serve(POLICY, (app) => echo(app, "GET", "/typed/:id"));
    expect(JSON.parse((await ask(served, "GET /typed/7?page=2 HTTP/1.1")).text)).toMatchObject({
      query: { page: 2 },
      params: { id: 7 },
    });
    expect(JSON.parse((await ask(served, "GET /typed/7 HTTP/1.1")).text)).toMatchObject({
      query: { page: 1 },
    });
    expect((await ask(served, "GET /typed/x HTTP/1.1")).status).toBe(400);
  });

  it("are fastify's where none stands: its parser is the host's", async () => {
    const served = await serve(POLICY, (app) => echo(app, "GET", "/plain/:name"), {
      fastify: { routerOptions: { querystringParser: () => ({ own: "parser" }) } },
    });
    expect(JSON.parse((await ask(served, "GET /plain/a%20b?x=1 HTTP/1.1")).text)).toMatchObject({
      query: { own: "parser" },
      params: { name: "a b", id: "a b" },
    });
  });
});

describe("decorations", () => {
  it("each request has its own, in every context; before the decision there is no principal", async () => {
    const early: unknown[] = [];
    const served = await serve(
      POLICY,
      (app) => {
        app.addHook("onRequest", async (request) => void early.push(request.principal));
        void app.register((scope, _options, done) => {
          scope.get("/plain/:id", (request) => ({
            principal: request.principal,
            route: request.gatehouse.route,
            exchange: request.exchange === request.gatehouse.exchange,
            client: request.gatehouse.client.ip,
          }));
          done();
        });
      },
      { last: true },
    );
    expect(JSON.parse((await ask(served, "GET /plain/1 HTTP/1.1")).text)).toEqual({
      principal: null,
      route: "GET /plain/:id",
      exchange: true,
      client: "127.0.0.1",
    });
    expect(early).toEqual([null]);
  });
});

describe("observe mode", () => {
  it("changes nothing that a handler reads", async () => {
    const served = await serve(
      policyOf(
        {
          "POST /read": {
            request: { body: BODY, query: { page: { type: "integer", default: 1 } } },
          },
        },
        { mode: "observe" },
      ),
      (app) => echo(app, "POST", "/read"),
    );
    const answer = await ask(served, posted("/read?page=x"), '{"n":"wrong"}');
    expect(JSON.parse(answer.text)).toMatchObject({ body: { n: "wrong" }, query: { page: "x" } });
    await expect.poll(() => served.events[0]?.observed?.length).toBeGreaterThan(0);
  });
});
