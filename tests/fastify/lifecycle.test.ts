/** Every hook of an application's, before the guard's and behind them, sees the method that was asked for, and no body is parsed twice. */
import type { FastifyInstance } from "fastify";
import { describe, expect, it } from "vitest";
import { policyOf, Wire } from "../servers/wire.js";
import { ask, serve, type ServeOptions } from "./support.js";

const BODY = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
const RULES = {
  request: { body: BODY },
  response: { body: { type: "object", properties: { n: { type: "integer" } } } },
};
const POLICY = policyOf({
  "GET /": { response: RULES.response },
  "POST /": RULES,
  "QUERY /": RULES,
  "REPORT /": RULES,
  "POST /stream": {},
  "POST /free/*": { request: RULES.request },
});

const HOOKS = [
  "onRequest",
  "preParsing",
  "preValidation",
  "preHandler",
  "preSerialization",
  "onSend",
  "onResponse",
  "onError",
  "onTimeout",
  "onRequestAbort",
] as const;

const PAYLOADS: ReadonlySet<string> = new Set(["preParsing", "preSerialization", "onSend"]);

type Hook = (request: { readonly method: string }, ...rest: readonly unknown[]) => Promise<unknown>;

function note(app: FastifyInstance, seen: string[]): void {
  for (const name of HOOKS) {
    const hook: Hook = async (request, ...[, payload]) => {
      seen.push(`${name} ${request.method}`);
      return PAYLOADS.has(name) ? payload : undefined;
    };
    app.addHook(name as "onSend", hook as never);
  }
}

const METHODS = ["GET", "POST", "QUERY", "REPORT"] as const;
const PLACES = [
  ["behind the guard's", { last: false }],
  ["before the guard's", { last: true }],
] as const;

const asked = (method: string, path = "/"): string =>
  `${method} ${path} HTTP/1.1${method === "GET" ? "" : "\nContent-Type: application/json"}`;
const bodyOf = (method: string): string => (method === "GET" ? "" : '{"n":1}');

interface Case {
  readonly seen: string[];
  readonly parsed: string[];
  readonly served: Awaited<ReturnType<typeof serve>>;
}

async function begin(
  build: (app: FastifyInstance, seen: string[]) => unknown,
  options: ServeOptions = {},
): Promise<Case> {
  const seen: string[] = [];
  const parsed: string[] = [];
  const served = await serve(
    POLICY,
    (app) => {
      app.addHttpMethod("REPORT", { hasBody: true });
      app.removeAllContentTypeParsers();
      app.addContentTypeParser("*", { parseAs: "string" }, (_request, payload, done) => {
        parsed.push(String(payload));
        done(null, payload);
      });
      note(app, seen);
      build(app, seen);
    },
    options,
  );
  return { seen, parsed, served };
}

const handle = (seen: string[]) => (request: { readonly method: string; readonly body: unknown }) => {
  seen.push(`handler ${request.method}`);
  return request.body ?? { n: 0 };
};

describe.each(PLACES)("hooks %s", (_place, options) => {
  describe.each(METHODS)("of %s", (method) => {
    const all = (names: readonly string[]): string[] => names.map((name) => `${name} ${method}`);
    const before = ["onRequest", "preParsing", "preValidation", "preHandler"];

    it("see it on the whole way", async () => {
      const { seen, parsed, served } = await begin(
        (app, list) => app.route({ method: [...METHODS], url: "/", handler: handle(list) }),
        options,
      );
      for (const run of [1, 2]) {
        const answer = await ask(served, asked(method), bodyOf(method));
        expect([run, answer.status, answer.text]).toEqual([
          run,
          200,
          method === "GET" ? '{"n":0}' : '{"n":1}',
        ]);
        const expected = all([...before, "handler", "preSerialization", "onSend", "onResponse"]);
        await expect.poll(() => seen).toEqual(expected);
        seen.length = 0;
      }
      expect(parsed).toEqual([]);
    });

    it("see it after `hijack`", async () => {
      const { seen, parsed, served } = await begin(
        (app, list) =>
          app.route({
            method: [...METHODS],
            url: "/",
            handler: (request, reply) => {
              void reply.hijack();
              list.push(`handler ${request.method}`);
              reply.raw.setHeader("Content-Type", "application/json");
              reply.raw.end('{"n":2,"own":true}');
            },
          }),
        options,
      );
      const answer = await ask(served, asked(method), bodyOf(method));
      expect([answer.status, answer.text]).toEqual([200, '{"n":2}']);
      await expect.poll(() => seen).toEqual(all([...before, "handler", "onResponse"]));
      expect(parsed).toEqual([]);
    });

    it.each(["preParsing", "preValidation", "handler"] as const)(
      "and error handlers see it where %s fails",
      async (place) => {
        const fails = async (): Promise<never> => {
          throw Object.assign(new Error("no"), { statusCode: 409 });
        };
        const { seen, parsed, served } = await begin(
          (app, list) =>
            app.route({
              method: [...METHODS],
              url: "/",
              ...(place === "handler" ? {} : { [place]: fails }),
              handler: place === "handler" ? fails : handle(list),
              errorHandler: (_error, request, reply) => {
                list.push(`errorHandler ${request.method}`);
                void reply.code(409).send({ n: 9 });
              },
            }),
          options,
        );
        const answer = await ask(served, asked(method), bodyOf(method));
        expect(answer.status).toBe(409);
        const ran = place === "handler" ? before : before.slice(0, before.indexOf(place) + 1);
        const expected = all([...ran, "onError", "errorHandler", "preSerialization", "onSend", "onResponse"]);
        await expect.poll(() => seen).toEqual(expected);
        expect(parsed).toEqual([]);
      },
    );

    it("see it where an earlier one has answered already", async () => {
      const { seen, parsed, served } = await begin(
        (app, list) =>
          app.route({
            method: [...METHODS],
            url: "/",
            preParsing: (_request, reply, _payload, next) => {
              void reply.code(202).send({ n: 3 });
              next();
            },
            handler: handle(list),
          }),
        options,
      );
      const answer = await ask(served, asked(method), bodyOf(method));
      expect([answer.status, answer.text]).toEqual([202, '{"n":3}']);
      await expect.poll(() => seen.includes(`onResponse ${method}`)).toBe(true);
      expect([seen.filter((one) => !one.endsWith(` ${method}`)), parsed]).toEqual([[], []]);
    });

    it("see it when the client leaves", async () => {
      const { seen, served } = await begin(
        (app, list) =>
          app.route({
            method: [...METHODS],
            url: "/",
            handler: async (request, reply) => {
              list.push(`handler ${request.method}`);
              await new Promise((resolve) => request.raw.once("close", resolve));
              return reply.hijack();
            },
          }),
        options,
      );
      const wire = await Wire.open(served.port);
      const head = `${asked(method).replace("\n", "\r\n")}\r\nHost: a.test\r\n`;
      wire.send(`${head}Content-Length: ${bodyOf(method).length}\r\n\r\n${bodyOf(method)}`);
      await expect.poll(() => seen.includes(`handler ${method}`)).toBe(true);
      wire.socket.destroy();
      await expect.poll(() => seen.includes(`onRequestAbort ${method}`)).toBe(true);
      expect(seen.filter((one) => !one.endsWith(` ${method}`))).toEqual([]);
    });

    it("see it when a connection is idle for too long", async () => {
      const { seen, served } = await begin(
        (app, list) =>
          app.route({
            method: [...METHODS],
            url: "/",
            handler: async (request, reply) => {
              list.push(`handler ${request.method}`);
              await new Promise((resolve) => request.raw.socket.once("timeout", resolve));
              return reply.hijack();
            },
          }),
        { ...options, fastify: { connectionTimeout: 300 } },
      );
      const wire = await Wire.open(served.port);
      const head = `${asked(method).replace("\n", "\r\n")}\r\nHost: a.test\r\n`;
      wire.send(`${head}Content-Length: ${bodyOf(method).length}\r\n\r\n${bodyOf(method)}`);
      await expect.poll(() => seen.includes(`onTimeout ${method}`), { timeout: 10_000 }).toBe(true);
      expect(seen.filter((one) => !one.endsWith(` ${method}`))).toEqual([]);
    });
  });

  it("see it, and the body, where no route is", async () => {
    const { seen, parsed, served } = await begin(
      (app, list) =>
        app.setNotFoundHandler((request, reply) => {
          list.push(`404 ${request.method}`);
          return reply.code(404).send(request.body);
        }),
      options,
    );
    for (const run of [1, 2]) {
      const answer = await ask(served, asked("POST", "/free/x"), '{"n":4}');
      expect([run, answer.status, answer.text]).toEqual([run, 404, '{"n":4}']);
    }
    await expect.poll(() => seen.filter((one) => one === "onResponse POST")).toHaveLength(2);
    expect(seen.filter((one) => !one.endsWith(" POST"))).toEqual([]);
    expect([seen.filter((one) => one === "404 POST").length, parsed]).toEqual([2, []]);
  });

  it("in a plugin of its own see it, and validate what they are given", async () => {
    const { seen, parsed, served } = await begin((app, list) => {
      void app.register((scope, _options, done) => {
        scope.decorateRequest("own", 1);
        note(scope, list);
        scope.post("/", { schema: { body: BODY }, preParsing: async () => undefined }, handle(list));
        done();
      });
    }, options);
    const answer = await ask(served, asked("POST"), '{"n":5}');
    expect([answer.status, answer.text]).toEqual([200, '{"n":5}']);
    await expect.poll(() => seen.filter((one) => one === "onResponse POST")).toHaveLength(2);
    expect(seen.filter((one) => !one.endsWith(" POST"))).toEqual([]);
    expect([seen.length, parsed]).toEqual([15, []]);
  });
});

describe("requests beside each other", () => {
  it("on one route are each read once: one waits before parsing while others begin", async () => {
    const waiting: (() => void)[] = [];
    const { seen, parsed, served } = await begin((app, list) =>
      app.route({
        method: "POST",
        url: "/",
        preParsing: async (request) => {
          if (request.headers["x-wait"] !== undefined)
            await new Promise<void>((resolve) => waiting.push(resolve));
        },
        handler: handle(list),
      }),
    );
    const first = ask(served, `${asked("POST")}\nX-Wait: 1`, '{"n":1}');
    await expect.poll(() => waiting).toHaveLength(1);
    expect((await ask(served, asked("POST"), '{"n":2}')).text).toBe('{"n":2}');
    const third = ask(served, `${asked("POST")}\nX-Wait: 1`, '{"n":3}');
    await expect.poll(() => waiting).toHaveLength(2);
    for (const go of waiting) go();
    expect([(await first).text, (await third).text, parsed]).toEqual(['{"n":1}', '{"n":3}', []]);
    expect(seen.filter((one) => !one.endsWith(" POST"))).toEqual([]);
  });

  it("are parsed by fastify, once, where no rule reads the body", async () => {
    const { seen, parsed, served } = await begin((app, list) => {
      app.post("/", handle(list));
      app.post("/stream", handle(list));
    });
    for (const path of ["/", "/stream", "/", "/stream"])
      expect((await ask(served, asked("POST", path), '{"n":6}')).text).toBe('{"n":6}');
    expect([parsed.length, seen.filter((one) => !one.endsWith(" POST"))]).toEqual([2, []]);
  });

  it("keep their method where whoever is given the body takes the answer away", async () => {
    const { seen, parsed, served } = await begin((app, list) => {
      app.addHook("onRequest", (request, reply, next) => {
        const take = (): void => {
          void reply.hijack();
          reply.raw.end();
        };
        Object.defineProperty(request, "body", { get: () => undefined, set: take });
        next();
      });
      app.post("/", handle(list));
    });
    await ask(served, asked("POST"), '{"n":1}');
    await expect.poll(() => seen.at(-1)).toMatch(/^onResponse/u);
    expect([seen.filter((one) => !one.endsWith(" POST")), parsed]).toEqual([[], []]);
  });

  it("are refused before any hook of a body that is none, and no handler runs", async () => {
    const { seen, parsed, served } = await begin((app, list) => app.post("/", handle(list)));
    expect((await ask(served, asked("POST"), '{"n":"x"}')).status).toBe(422);
    expect((await ask(served, asked("POST"), "{")).status).toBe(400);
    expect([seen.filter((one) => /preParsing|handler/u.test(one)), parsed]).toEqual([[], []]);
  });
});
