/** Koa behind the guard, as the example wires it: the behaviours of every server, and what koa would answer by itself. */
import { createServer, type IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import Koa, { type Context, type Next } from "koa";
import { describe, expect, it } from "vitest";
import { createEngine } from "@gatehouse/core";
import { guard, type HandlerContext } from "@gatehouse/node-http";
import { describeServer } from "../servers/behaviours.js";
import type { StartServer, Turn } from "../servers/suite.js";
import { ask, later, policyOf } from "../servers/wire.js";
import { listen, stop } from "../node-http/target.js";

type Answers = (ctx: Context, next: Next) => Promise<unknown>;
const example = new URL("../../examples/orders-koa/answers.mjs", import.meta.url).href;
const { answers } = (await import(example)) as { answers: Answers };

type Guarded = IncomingMessage & { gatehouse?: HandlerContext };

function contextOf(ctx: Context): HandlerContext {
  const { gatehouse } = ctx.req as Guarded;
  if (gatehouse === undefined) throw new Error("a request came past the guard");
  return gatehouse;
}

/** As in the example. */
async function serveKoa(
  app: Koa,
  { engine, onError, onUpgrade }: Pick<Parameters<StartServer>[0], "engine" | "onError" | "onUpgrade">,
): Promise<{ port: number; close(): Promise<void> }> {
  const handle = app.callback();
  const guarded = guard(
    engine,
    (req, res, context) => {
      (req as Guarded).gatehouse = context;
      return handle(req, res);
    },
    { onError, ...(onUpgrade === undefined ? {} : { onUpgrade }) },
  );
  const server = guarded.attach(createServer({ requireHostHeader: false }));
  return { port: await listen(server), close: () => stop(server) };
}

const start: StartServer = async (given) => {
  const app = new Koa();
  app.silent = true;
  app.use(answers);
  app.use(async (ctx) => void (await given.handler(turnOf(ctx))));
  return serveKoa(app, given);
};

function turnOf(ctx: Context): Turn {
  return {
    method: ctx.method,
    target: ctx.originalUrl,
    field: (name) => ctx.get(name) || undefined,
    body: contextOf(ctx).body,
    read: () => text(ctx.req),
    answer: (status, fields, body) => {
      ctx.status = status;
      ctx.set(fields as Record<string, string>);
      // Koa empties an answer whose body is undefined.
      ctx.body = body === undefined ? "" : typeof body === "string" ? Buffer.from(body) : body;
      ctx.set(fields as Record<string, string>);
    },
    stream: (status, fields, chunks) => {
      ctx.status = status;
      ctx.body = Readable.from(chunks);
      ctx.set(fields as Record<string, string>);
    },
    signal: contextOf(ctx).signal,
    raw: () => {
      ctx.respond = false;
      // Koa begins with 404.
      ctx.res.statusCode = 200;
      return { req: ctx.req, res: ctx.res };
    },
  };
}

describeServer("koa", start, { compression: "the guard owns the server: nothing stands before it" });

describe("koa's own answers", () => {
  const CANARY = "canary-11c0";
  const served = async (handler: (ctx: Context) => unknown): ReturnType<typeof start> => {
    const engine = await createEngine(
      policyOf({
        "GET /x": {},
        "GET /ruled": { response: { body: { type: "object", properties: { id: { type: "integer" } } } } },
      }),
    );
    const app = new Koa();
    app.silent = true;
    app.use(answers);
    app.use(async (ctx) => void (await handler(ctx)));
    const running = await serveKoa(app, { engine, onError: () => undefined, onUpgrade: undefined });
    later(async () => {
      await running.close();
      await engine.close();
    });
    return running;
  };

  it.each([
    [{}, 500, "handler-failed"],
    [{ status: 409, expose: true }, 409, "handler-refused"],
    [{ status: 404, expose: true }, 404, "not-found"],
  ])("an error that carries %o is the policy's", async (members, status, code) => {
    const server = await served(() => {
      throw Object.assign(new Error(CANARY), members);
    });
    const answer = await ask(server, "GET /x HTTP/1.1");
    expect([answer.status, (JSON.parse(answer.text) as { code: string }).code]).toEqual([status, code]);
    expect(answer.text).not.toContain(CANARY);
  });

  it("what nobody answers is the policy's 404", async () => {
    const answer = await ask(await served(() => undefined), "GET /x HTTP/1.1");
    expect([answer.status, answer.header("content-type")]).toEqual([404, "application/problem+json"]);
  });

  it("undeclared_never_leaves: a value, its text, bytes and a stream in `ctx.body`", async () => {
    const value = { id: 7, secret: CANARY };
    const ways: ((ctx: Context) => unknown)[] = [
      (ctx) => (ctx.body = value),
      (ctx) => Object.assign(ctx, { type: "json", body: JSON.stringify(value) }),
      (ctx) => Object.assign(ctx, { type: "json", body: Buffer.from(JSON.stringify(value)) }),
      (ctx) => Object.assign(ctx, { type: "json", body: Readable.from([JSON.stringify(value)]) }),
    ];
    for (const way of ways) {
      const server = await served(way);
      expect((await ask(server, "GET /ruled HTTP/1.1")).text).toBe('{"id":7}');
      expect((await ask(server, "GET /x HTTP/1.1")).text).toContain(CANARY);
    }
  });
});
