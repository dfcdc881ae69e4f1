/** hono: every way in which a handler answers, fails, or does not answer; what stands before the guard; what handlers find. */
import { brotliCompressSync } from "node:zlib";
import type { HttpBindings } from "@hono/node-server";
import { Hono, type Context } from "hono";
import { basicAuth } from "hono/basic-auth";
import { HTTPException } from "hono/http-exception";
import { etag } from "hono/etag";
import { mount } from "hono/mount";
import { stream, streamSSE, streamText } from "hono/streaming";
import { describe, expect, it } from "vitest";
import { gatehouse, type GatehouseVariables } from "@gatehouse/fetch";
import { ask, policyOf } from "../servers/wire.js";
import { engineOf, honoServer, type App } from "./support.js";

type Ctx = Context<{ Bindings: HttpBindings; Variables: GatehouseVariables }>;

const CANARY = "canary-7f3a";
const ORDER = { id: "o-1", secret: CANARY };
const SHAPE = { type: "object", properties: { id: { type: "string" } } };
const RULED = policyOf({ "GET|HEAD /ruled": { response: { body: SHAPE } } });
const TEXT = JSON.stringify(ORDER);
const JSON_TYPE = { "Content-Type": "application/json" };
const CUT = '{"id":"o-1"}';

describe("undeclared_never_leaves, whatever a handler calls", () => {
  it.each<[string, number, string | undefined, (c: Ctx) => Response | Promise<Response>]>([
    ["c.json", 200, CUT, (c) => c.json(ORDER)],
    ["send", 200, CUT, (c) => c.get("gatehouse").send(ORDER)],
    ["c.body of text", 200, CUT, (c) => c.body(TEXT, 200, JSON_TYPE)],
    ["c.body of bytes", 200, CUT, (c) => c.body(new TextEncoder().encode(TEXT).buffer, 200, JSON_TYPE)],
    ["Response.json", 200, CUT, () => Response.json(ORDER)],
    ["a new Response", 200, CUT, () => new Response(TEXT, { headers: JSON_TYPE })],
    ["c.text", 500, undefined, (c) => c.text(TEXT)],
    ["c.html", 500, undefined, (c) => c.html(CANARY)],
    [
      "a stream",
      200,
      CUT,
      (c) => {
        c.header("Content-Type", "application/json");
        return stream(c, async (out) => {
          await out.write(TEXT.slice(0, 9));
          await out.write(TEXT.slice(9));
        });
      },
    ],
    ["streamed text", 500, undefined, (c) => streamText(c, async (out) => void (await out.write(CANARY)))],
    ["events", 500, undefined, (c) => streamSSE(c, async (out) => out.writeSSE({ data: TEXT }))],
    ["a redirect", 302, "", (c) => c.redirect("/elsewhere")],
    ["c.json with another status", 404, '{"title":"t"}', (c) => c.json({ title: "t", secret: CANARY }, 404)],
    ["a reason phrase", 200, CUT, () => new Response(TEXT, { headers: JSON_TYPE, statusText: CANARY })],
    [
      "a compressed answer",
      500,
      undefined,
      (c) =>
        c.body(new Uint8Array(brotliCompressSync(TEXT)).buffer, 200, {
          ...JSON_TYPE,
          "Content-Encoding": "br",
        }),
    ],
    [
      "a thrown HTTPException",
      409,
      undefined,
      () => {
        throw new HTTPException(409, { message: CANARY });
      },
    ],
    [
      "a thrown HTTPException with its own JSON",
      409,
      "{}",
      () => {
        throw new HTTPException(409, { res: new Response(TEXT, { headers: JSON_TYPE }) });
      },
    ],
    [
      "a thrown server error",
      503,
      undefined,
      () => {
        throw new HTTPException(503, { res: new Response(TEXT, { headers: JSON_TYPE }) });
      },
    ],
    [
      "a thrown Error",
      500,
      undefined,
      () => {
        throw new Error(CANARY);
      },
    ],
    [
      "a thrown text",
      500,
      undefined,
      () => {
        // oxlint-disable-next-line typescript/only-throw-error -- somebody's code does
        throw CANARY;
      },
    ],
    ["c.notFound", 404, undefined, (c) => c.notFound()],
    ["nothing", 500, undefined, () => undefined as unknown as Response],
    ["a network error", 500, undefined, () => Response.error()],
  ])("%s", async (_way, status, text, handler) => {
    const served = await honoServer(RULED, (app) =>
      app.get("/ruled", handler).onError((error, c) => {
        if (error instanceof HTTPException) return error.getResponse();
        return c.text(error.message, 500);
      }),
    );
    for (const method of ["GET", "HEAD"]) {
      const answer = await ask(served, `${method} /ruled HTTP/1.1`);
      expect(answer.status).toBe(status);
      expect(JSON.stringify(answer.headers) + answer.text).not.toContain(CANARY);
      if (method === "HEAD") expect(answer.text).toBe("");
      else if (text !== undefined) expect(answer.text).toBe(text);
      else expect(answer.header("content-type")).toBe("application/problem+json");
      expect(answer.header("x-content-type-options")).toBe("nosniff");
    }
    expect(served.events.map(({ status: ended }) => ended)).toEqual([status, status]);
  });
});

const OPEN = policyOf({
  "GET /open": {},
  "POST /open": { request: { types: ["text/plain"], maxBody: 1000 } },
});

describe("answers", () => {
  it("a handler's error reaches the operator, and hono's own handlers run as ever", async () => {
    const seen: string[] = [];
    const served = await honoServer(OPEN, (app) =>
      app
        .get("/open", () => {
          throw new Error(CANARY);
        })
        .onError((error, c) => {
          seen.push(error.message);
          return c.text(error.message, 500);
        }),
    );
    const answer = await ask(served, "GET /open HTTP/1.1");
    expect([answer.status, JSON.parse(answer.text).code, seen]).toEqual([500, "handler-failed", [CANARY]]);
    expect(String(served.events[0]?.error)).toBe(`Error: ${CANARY}`);
  });

  it("where nobody answers hono's 404 leaves without a rule, and the policy's with one", async () => {
    const open = await ask(await honoServer(OPEN, () => undefined), "GET /open HTTP/1.1");
    expect([open.status, open.text]).toEqual([404, "404 Not Found"]);
    const ruled = await ask(await honoServer(RULED, () => undefined), "GET /ruled HTTP/1.1");
    expect([ruled.status, JSON.parse(ruled.text).code]).toEqual([404, "not-found"]);
  });

  it("each cookie stays one, and fields that others set first are shaped with the rest", async () => {
    const served = await honoServer(
      OPEN,
      (app) =>
        app.get("/open", (c) => {
          c.header("Set-Cookie", "a=1", { append: true });
          c.header("Set-Cookie", "b=2", { append: true });
          c.header("X-Powered-By", "canary");
          return c.text("ok");
        }),
      {},
      (app) =>
        app.use(async (c, next) => {
          c.header("Server", "canary");
          await next();
        }),
    );
    const answer = await ask(served, "GET /open HTTP/1.1");
    expect(answer.headers.filter(([name]) => name === "set-cookie").map(([, value]) => value)).toEqual([
      "a=1",
      "b=2",
    ]);
    expect([answer.header("server"), answer.header("x-powered-by")]).toEqual([undefined, undefined]);
  });

  it("the challenge of a middleware that authenticates stays, its words do not", async () => {
    const served = await honoServer(RULED, (app) =>
      app.use(basicAuth({ username: "a", password: "b" })).get("/ruled", (c) => c.json(ORDER)),
    );
    const answer = await ask(served, "GET /ruled HTTP/1.1");
    expect([answer.status, answer.header("www-authenticate"), JSON.parse(answer.text).code]).toEqual([
      401,
      'Basic realm="Secure Area"',
      "handler-refused",
    ]);
  });

  it("what stood on the context before a refusal is no part of it", async () => {
    const served = await honoServer(
      OPEN,
      () => undefined,
      {},
      (app) =>
        app.use(async (c, next) => {
          c.res.headers.set("X-Outer", "canary");
          await next();
        }),
    );
    const answer = await ask(served, "GET /nowhere HTTP/1.1");
    expect([answer.status, answer.header("x-outer")]).toEqual([404, undefined]);
  });

  it("a middleware in front may answer a 304 of its own: it sees what was shaped", async () => {
    const served = await honoServer(
      RULED,
      (app) => app.get("/ruled", (c) => c.json(ORDER)),
      {},
      (app) => app.use(etag()),
    );
    const first = await ask(served, "GET /ruled HTTP/1.1");
    const again = await ask(served, `GET /ruled HTTP/1.1\nIf-None-Match: ${first.header("etag") ?? ""}`);
    expect([first.text, again.status]).toEqual([CUT, 304]);
    expect(served.events).toHaveLength(2);
  });

  it("observe mode changes nothing, reports what it would, and hono's answer to an error stands", async () => {
    const policy = policyOf(
      { "GET /ruled": { response: { body: SHAPE } }, "GET /throws": {} },
      { mode: "observe" },
    );
    const served = await honoServer(policy, (app) =>
      app
        .get("/ruled", (c) => c.json(ORDER))
        .get("/throws", () => {
          throw new Error(CANARY);
        })
        .get("/nowhere", (c) => c.text("here"))
        .onError((error, c) => c.text(`own: ${error.message}`, 500)),
    );
    const answer = await ask(served, "GET /ruled HTTP/1.1");
    expect([answer.text, answer.header("x-content-type-options")]).toEqual([TEXT, undefined]);
    expect(served.events[0]?.reports).toEqual(["the response rule would have cut the body"]);
    const failed = await ask(served, "GET /throws HTTP/1.1");
    expect([failed.status, failed.text]).toEqual([500, `own: ${CANARY}`]);
    expect((await ask(served, "GET /nowhere HTTP/1.1")).text).toBe("here");
    expect(served.events.at(-1)?.observed?.map(({ code }) => code)).toEqual(["not-found"]);
  });
});

describe("requests", () => {
  const READ = policyOf({
    "POST /read": {
      request: {
        body: { type: "object", properties: { a: { type: "string" } } },
        query: { n: { type: "integer", default: 7 }, tag: { type: "array", items: { type: "string" } } },
        unknown: "strip",
      },
    },
  });

  it("hono's own readers give what was validated, and nothing beside it", async () => {
    const served = await honoServer(READ, (app) =>
      app.post("/read", async (c) => {
        const { body, query } = c.get("gatehouse");
        return c.json({
          json: await c.req.json(),
          text: await c.req.text(),
          n: c.req.query("n"),
          tags: c.req.queries("tag"),
          evil: c.req.query("evil") ?? null,
          length: c.req.header("content-length"),
          body,
          query,
          principal: c.get("principal"),
        });
      }),
    );
    const sent = '{ "a": "b", "evil": 1 }';
    const answer = await ask(
      served,
      `POST /read?tag=x&tag=y%26z&evil=1 HTTP/1.1\nContent-Type: application/json\nContent-Length: ${sent.length}`,
      sent,
    );
    expect(JSON.parse(answer.text)).toEqual({
      json: { a: "b" },
      text: '{"a":"b"}',
      n: "7",
      tags: ["x", "y&z"],
      evil: null,
      length: "9",
      body: { a: "b" },
      query: { n: 7, tag: ["x", "y&z"] },
      principal: null,
    });
  });

  it("a body that was read before the guard is 500, and the handler does not run", async () => {
    const ran: string[] = [];
    const served = await honoServer(
      READ,
      (app) => app.post("/read", (c) => c.text(String(ran.push("ran")))),
      {},
      (app) =>
        app.use(async (c, next) => {
          await c.req.text();
          await next();
        }),
    );
    const answer = await ask(
      served,
      "POST /read HTTP/1.1\nContent-Type: application/json\nContent-Length: 9",
      '{"a":"b"}',
    );
    expect([answer.status, served.events[0]?.code, ran]).toEqual([500, "body-already-read", []]);
  });

  it("beyond the limit a streamed body is 413, whatever handlers that still run make of it", async () => {
    const served = await honoServer(
      OPEN,
      (app) =>
        app
          .post("/open", async (c) => {
            await c.req.text();
            return c.text("read");
          })
          .onError((_error, c) => c.text(CANARY)),
      {},
      (app) =>
        app.use(async (_c, next) => {
          await next();
          // As long as it takes until the handler has failed, and hono has answered for it.
          await new Promise((resolve) => setImmediate(resolve));
        }),
    );
    const chunk = "x".repeat(1001);
    const answer = await ask(
      served,
      "POST /open HTTP/1.1\nContent-Type: text/plain\nTransfer-Encoding: chunked",
      `${chunk.length.toString(16)}\r\n${chunk}\r\n0\r\n\r\n`,
    );
    expect([answer.status, answer.text.includes(CANARY)]).toEqual([413, false]);
    expect(JSON.parse(answer.text).code).toBe("body-too-large");
    expect(served.events.map(({ status }) => status)).toEqual([413]);
  });

  it("a POST without a length and without content is one without content", async () => {
    const policy = policyOf({ "POST /a": {}, "POST /b": { request: { body: SHAPE, bodyOptional: true } } });
    const served = await honoServer(policy, (app) =>
      app.post("/:x", async (c) => c.json(await c.req.text())),
    );
    for (const path of ["/a", "/b"]) {
      const answer = await ask(served, `POST ${path} HTTP/1.1`);
      expect([answer.status, answer.text]).toEqual([200, '""']);
    }
  });

  it("the scheme of an absolute target is not believed", async () => {
    const policy = policyOf({ "GET /open": {} }, { transport: { https: "require" } });
    const served = await honoServer(policy, (app) => app.get("/open", (c) => c.text("ran")));
    const answer = await ask(served, "GET https://a.test/open HTTP/1.1");
    expect([answer.status, JSON.parse(answer.text).code]).toEqual([403, "https-required"]);
    const other = await ask(served, "GET http://evil.test/open HTTP/1.1");
    expect([other.status, JSON.parse(other.text).code]).toEqual([400, "ambiguous-path"]);
  });
});

describe("paths", () => {
  it("an application that reads paths in another way is answered 500, and its handler does not run", async () => {
    const ran: string[] = [];
    const served = await honoServer(
      policyOf({ "GET /a/": {}, "GET /a": {} }),
      (app) => app.get("/a", (c) => c.text(String(ran.push("ran")))),
      {},
      undefined,
      new Hono({ strict: false }),
    );
    expect((await ask(served, "GET /a HTTP/1.1")).status).toBe(200);
    expect((await ask(served, "GET /a/ HTTP/1.1")).status).toBe(500);
    expect(ran).toEqual(["ran"]);
    expect(String(served.events.at(-1)?.error)).toMatch(/^Error: the application reads this path otherwise/);
  });

  it("the application's own settings are read where it is handed over", async () => {
    const app: App = new Hono({ strict: false });
    const served = await honoServer(
      policyOf({ "GET /a": {} }),
      () => app.get("/a", (c) => c.text("ran")),
      { app },
      undefined,
      app,
    );
    expect((await ask(served, "GET /a/ HTTP/1.1")).status).toBe(200);
  });

  it("an application that routes by something else is refused", async () => {
    const { engine } = await engineOf(OPEN);
    const byHost = new Hono({ getPath: (request) => `/${new URL(request.url).hostname}` });
    expect(() => gatehouse(engine, { app: byHost })).toThrow(/`getPath` of its own/);
    const loose = new Hono({ strict: false });
    expect(() => gatehouse(engine, { app: loose, matching: { trailingSlash: "significant" } })).toThrow(
      "`matching.trailingSlash` is `significant`, and the application's is `ignored`",
    );
  });

  it("B1.10: under a base path and in a mounted application the policy sees the full path", async () => {
    const policy = policyOf({ "GET /v1/orders/:id": {}, "GET /other/*": {} });
    const { engine } = await engineOf(policy);
    const inner = new Hono<{ Variables: GatehouseVariables }>();
    inner.get("/orders/:id", (c) => c.text(String(c.get("gatehouse").params["id"])));
    const app = new Hono<{ Variables: GatehouseVariables }>();
    app.use(gatehouse(engine)).route("/v1", inner);
    app.all(
      "/other/*",
      mount((request: Request) => new Response(new URL(request.url).pathname)),
    );
    expect(await (await app.request("/v1/orders/7")).text()).toBe("7");
    expect(await (await app.request("/other/a")).text()).toBe("/a");
    expect((await app.request("/orders/7")).status).toBe(404);
    expect((await app.request("/other")).status).toBe(404);
  });

  it("a prefix that was taken off is put back", async () => {
    const { engine } = await engineOf(policyOf({ "GET /v1/orders": {} }));
    const app = new Hono<{ Variables: GatehouseVariables }>();
    app.use(gatehouse(engine, { mountPrefix: "/v1" })).get("/orders", (c) => c.text("ran"));
    expect(await (await app.request("/orders")).text()).toBe("ran");
    expect((await app.request("/v1/orders")).status).toBe(404);
  });
});
