/**
 * Where no other hook stands between a handler's value and the wire, the answer is shaped and sent in one go. Any other hook leads it the
 * long way, through fastify: what arrives is the same.
 */
import * as fc from "fast-check";
import type { FastifyInstance, FastifyReply } from "fastify";
import { describe, expect, it } from "vitest";
import { policyOf, Wire } from "../servers/wire.js";
import { ask, serve, type Served } from "./support.js";

const runs = Number(process.env["ALONE_RUNS"] ?? 100);
const RULE = { response: { body: { type: "object", additionalProperties: { type: "string" } } } };
const POLICY = policyOf(
  {
    "GET|POST /": RULE,
    "GET|POST /schema": RULE,
    "GET|POST /open": {},
    "GET|POST /encoded": { response: { encode: true } },
  },
  { headers: { preset: "web" } },
);

interface Said {
  readonly method: "GET" | "POST" | "HEAD";
  readonly path: string;
  readonly status: number;
  readonly value: unknown;
  readonly fields: readonly (readonly [string, string | string[]])[];
  readonly raw: boolean;
  /** What the handler gives: the value, or what it wrote of it. */
  readonly as: "value" | "text" | "bytes";
}

const said: fc.Arbitrary<Said> = fc.record({
  method: fc.constantFrom("GET", "POST", "HEAD"),
  path: fc.constantFrom("/", "/", "/schema", "/open", "/encoded"),
  status: fc.constantFrom(200, 200, 201, 204, 304, 404, 500),
  value: fc.oneof(
    fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), fc.string({ unit: "grapheme" })),
    fc.constantFrom(null, 1, true, [], { a: 1 }, { toJSON: () => ({ b: "c" }) }, { toJSON: () => undefined }),
  ),
  fields: fc.uniqueArray(
    fc.constantFrom<readonly [string, string | string[]]>(
      ["Set-Cookie", ["a=1", "b=2"]],
      ["Cache-Control", "no-transform"],
      ["X-Own", "own"],
      ["X-Frame-Options", "ALLOWALL"],
      ["ETag", '"of-the-secret"'],
      ["Vary", "Accept"],
      ["Content-Type", "application/hal+json"],
      ["Content-Encoding", "gzip"],
    ),
    { selector: ([name]) => name },
  ),
  raw: fc.boolean(),
  as: fc.constantFrom("value", "value", "text", "bytes"),
});

const IDS = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

async function read({ port }: Served, { method, path }: Said): Promise<unknown> {
  const wire = await Wire.open(port);
  const length = method === "POST" ? "Content-Length: 0\r\n" : "";
  wire.send(`${method} ${path} HTTP/1.1\r\nHost: a.test\r\n${length}\r\n`);
  const answer = await wire.answer(method);
  const fields = answer.headers
    .filter(([name]) => !/^(?:date|x-request-id)$/i.test(name))
    .map(([name, value]) => `${name.toLowerCase()}: ${value}`)
    .sort();
  return [answer.status, fields, answer.body.toString("latin1").replace(IDS, "id")];
}

function given({ value, as }: Said): unknown {
  const text: unknown = as === "value" ? value : JSON.stringify(value);
  return as === "bytes" && typeof text === "string" ? Buffer.from(text) : text;
}

/** The host's own: it lets members pass, and writes numbers as texts. */
const SCHEMA = { type: "object", additionalProperties: { type: "string" } };

const long = (app: FastifyInstance): void =>
  void app.addHook("onSend", (_request, _reply, payload, next) => next(null, payload));

describe("alone on the way", () => {
  it("an answer is what it is the long way", async () => {
    let now: Said | undefined;
    const handle = (_request: unknown, reply: FastifyReply): FastifyReply => {
      for (const [name, value] of now?.fields ?? []) {
        // A value is in no coding: said of an empty one, it is a 500 the long way, and nothing at all the short one.
        if (name === "Content-Encoding" && now?.as === "value") continue;
        if (now?.raw === true) reply.raw.setHeader(name, value);
        else void reply.header(name, value);
      }
      return reply.code(now?.status ?? 200).send(now === undefined ? undefined : given(now));
    };
    const build = (app: FastifyInstance): void => {
      for (const path of ["/", "/open", "/encoded"]) app.get(path, handle).post(path, handle);
      const schema = { response: { "2xx": SCHEMA } };
      app.get("/schema", { schema }, handle).post("/schema", { schema }, handle);
    };
    const alone = await serve(POLICY, build);
    const others = await serve(POLICY, (app) => {
      long(app);
      build(app);
    });
    await fc.assert(
      fc.asyncProperty(said, async (one) => {
        now = one;
        expect(await read(alone, one)).toEqual(await read(others, one));
      }),
      { numRuns: runs },
    );
  });

  it("onResponse hooks see what was sent, and nothing that was not", async () => {
    const seen: unknown[] = [];
    const served = await serve(POLICY, (app) => {
      app.addHook("onResponse", (_request, reply, next) => {
        seen.push(reply.statusCode, reply.getHeader("x-frame-options"), reply.getHeader("etag"), reply.sent);
        next();
      });
      app.get("/", (_request, reply) =>
        reply.headers({ "X-Frame-Options": "ALLOWALL", ETag: '"secret"' }).send({ a: "b" }),
      );
    });
    await ask(served, "GET / HTTP/1.1");
    await expect.poll(() => seen).toEqual([200, "SAMEORIGIN", undefined, true]);
  });

  it("onResponse hooks of a route with a schema of its own run once, and see what was sent", async () => {
    const seen: unknown[] = [];
    const served = await serve(POLICY, (app) => {
      app.addHook("onResponse", (_request, reply, next) => {
        seen.push(reply.statusCode, reply.getHeader("etag"), reply.sent);
        next();
      });
      app.get("/schema", { schema: { response: { 200: SCHEMA } } }, async (_request, reply) => {
        reply.header("ETag", '"secret"');
        return Promise.resolve({ a: "b" });
      });
    });
    expect((await ask(served, "GET /schema HTTP/1.1")).text).toBe('{"a":"b"}');
    await expect.poll(() => seen).toEqual([200, undefined, true]);
  });

  it("something that waits for `end` on the raw response is waited for", async () => {
    const seen: unknown[] = [];
    const served = await serve(POLICY, (app) =>
      app.get("/", (_request, reply) => {
        const end = Reflect.get(reply.raw, "end") as (...given: unknown[]) => unknown;
        reply.raw.end = function (this: typeof reply.raw, ...given: unknown[]) {
          seen.push(String(given[0]));
          return Reflect.apply(end, this, given) as typeof reply.raw;
        };
        return reply.send({ a: "b" });
      }),
    );
    expect((await ask(served, "GET / HTTP/1.1")).text).toBe(seen[0]);
    expect(seen).toEqual(['{"a":"b"}']);
  });

  it.each(["/", "/schema"])("a second answer is not sent: %s", async (path) => {
    const served = await serve(POLICY, (app) => {
      const schema = path === "/" ? {} : { response: { 200: SCHEMA } };
      app.get(path, { schema }, async (_request, reply) => {
        await reply.send({ a: "b" });
        return { a: "c" };
      });
    });
    const wire = await Wire.open(served.port);
    wire.send(`GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`.repeat(2));
    const answers = [await wire.answer(), await wire.answer()];
    expect(answers.map(({ body }) => body.toString())).toEqual(['{"a":"b"}', '{"a":"b"}']);
  });
});
