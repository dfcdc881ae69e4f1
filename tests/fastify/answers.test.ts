/** `undeclared_never_leaves`: whatever way fastify answers in, a field that nobody declared is not in the bytes. */
import { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import * as zlib from "node:zlib";
import compress from "@fastify/compress";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { describe, expect, it } from "vitest";
import { policyOf, Wire } from "../servers/wire.js";
import { ask, serve } from "./support.js";

const CANARY = "canary-7f3a";
const ORDER = { id: "o-1", secret: CANARY };
const TEXT = JSON.stringify(ORDER);
const SHOWN = JSON.stringify({ id: "o-1" });
const RULED = policyOf({
  "GET|POST /": { response: { body: { type: "object", properties: { id: { type: "string" } } } } },
  "GET /open": {},
});

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown;

async function* pieces(): AsyncGenerator<Buffer> {
  for (const byte of Buffer.from(TEXT)) yield await Promise.resolve(Buffer.of(byte));
}

const json = (reply: FastifyReply): FastifyReply => reply.type("application/json");

const WAYS: Readonly<Record<string, Handler>> = {
  "send an object": (_request, reply) => reply.send(ORDER),
  "return an object": () => ({ ...ORDER }),
  "return from an async handler": async () => Promise.resolve({ ...ORDER }),
  "an object with toJSON": () => ({ toJSON: () => ORDER }),
  "send text": (_request, reply) => json(reply).send(TEXT),
  "return text": (_request, reply) => {
    void json(reply);
    return TEXT;
  },
  "send a buffer": (_request, reply) => json(reply).send(Buffer.from(TEXT)),
  "send a typed array": (_request, reply) => json(reply).send(new Uint8Array(Buffer.from(TEXT))),
  "send a stream": (_request, reply) => json(reply).send(Readable.from(pieces())),
  "send a web stream": (_request, reply) => json(reply).send(Readable.toWeb(Readable.from(pieces()))),
  "send a Response": (_request, reply) =>
    reply.send(new Response(TEXT, { headers: { "Content-Type": "application/json" } })),
  "a serializer of the reply's own": (_request, reply) =>
    json(reply)
      .serializer((value: unknown) => JSON.stringify(value, undefined, 2))
      .send(ORDER),
  hijack: (_request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, { "Content-Type": "application/json" }).end(TEXT);
  },
  "the raw response": (_request, reply) => void reply.raw.end(TEXT),
  "the raw response, piece by piece": (_request, reply) => {
    reply.raw.write(TEXT.slice(0, 9));
    reply.raw.end(TEXT.slice(9));
  },
};

const HOOKS: Readonly<Record<string, (app: FastifyInstance) => void>> = {
  "no hooks": () => undefined,
  "a preSerialization hook that adds a field": (app) =>
    void app.addHook("preSerialization", (_request, _reply, payload, next) =>
      next(null, { ...(payload as object), id: "o-1", other: CANARY }),
    ),
  "an onSend hook that adds fields": (app) =>
    void app.addHook("onSend", (_request, reply, payload, next) => {
      void reply.header("X-Frame-Options", "ALLOWALL").header("X-Own", "kept");
      next(null, payload);
    }),
  "a serializer of the application's": (app) =>
    void app.setReplySerializer((payload) => JSON.stringify(payload, undefined, 1)),
};

for (const last of [false, true]) {
  describe.each(Object.entries(HOOKS))(`guard ${last ? "last" : "first"}, %s`, (_name, hook) => {
    it.each(Object.entries(WAYS))("%s", async (way, handler) => {
      const served = await serve(
        RULED,
        (app) => {
          hook(app);
          app.get("/", handler as never);
        },
        { last },
      );
      const answer = await ask(served, "GET / HTTP/1.1");
      expect(answer.raw.body.toString("latin1")).not.toContain(CANARY);
      expect([answer.status, answer.text]).toEqual([200, SHOWN]);
      expect(answer.header("content-length")).toBe(String(SHOWN.length));
      expect(answer.header("x-frame-options")).toBe("DENY");
      if (!/raw|hijack/.test(way) && hook.toString().includes("X-Own"))
        expect(answer.header("x-own")).toBe("kept");

      // fastify itself cannot count a Response for HEAD.
      if (way === "send a Response") return;
      const head = await ask(served, "HEAD / HTTP/1.1");
      expect([head.status, head.text]).toEqual([200, ""]);
    });
  });
}

describe("compression", () => {
  // Node has zstd from 22.15 on.
  const { zstdDecompressSync } = zlib as { readonly zstdDecompressSync?: (bytes: Uint8Array) => Buffer };
  const CODINGS = [
    ["gzip", zlib.gunzipSync],
    ["br", zlib.brotliDecompressSync],
    ["deflate", zlib.inflateSync],
    ...(zstdDecompressSync === undefined ? [] : [["zstd", zstdDecompressSync] as const]),
  ] as const;
  for (const last of [false, true]) {
    for (const [coding, decode] of CODINGS) {
      it.each(["send an object", "send text", "send a buffer", "send a stream", "send a web stream"])(
        `${coding}, guard ${last ? "last" : "first"}: %s`,
        async (way) => {
          const served = await serve(
            RULED,
            (app) => {
              void app.register(compress, { threshold: 0, encodings: [coding] });
              void app.register((scope, _options, done) => {
                scope.get("/", WAYS[way] as never);
                done();
              });
            },
            { last },
          );
          const answer = await ask(served, `GET / HTTP/1.1\nAccept-Encoding: ${coding}`);
          expect([answer.status, answer.header("content-encoding")]).toEqual([200, coding]);
          expect(answer.header("vary")?.toLowerCase()).toContain("accept-encoding");
          expect(decode(answer.raw.body).toString()).toBe(SHOWN);
        },
      );
    }
  }

  it("what a handler compresses itself cannot be read, and is withheld", async () => {
    const served = await serve(RULED, (app) => {
      void app.register(compress, { threshold: 0 });
      void app.register((scope, _options, done) => {
        scope.get("/", (_request, reply) =>
          (reply as unknown as { compress(value: unknown): void }).compress(ORDER),
        );
        done();
      });
    });
    const answer = await ask(served, "GET / HTTP/1.1\nAccept-Encoding: gzip");
    const text = zlib.gunzipSync(answer.raw.body).toString();
    expect([answer.status, text.includes(CANARY)]).toEqual([500, false]);
    expect(JSON.parse(text)).toMatchObject({ status: 500, code: "unreadable-response" });
  });
});

describe("hooks behind the shaping", () => {
  const adding =
    (change: (text: string) => unknown) =>
    (app: FastifyInstance): void => {
      app.get(
        "/",
        { onSend: (_request, _reply, payload, next) => next(null, change(payload as string)) },
        () => ({ ...ORDER }),
      );
    };

  it("one that changes the text is told to the operator, and the answer is withheld", async () => {
    const served = await serve(
      RULED,
      adding(() => TEXT),
    );
    const answer = await ask(served, "GET / HTTP/1.1");
    expect([answer.status, answer.text.includes(CANARY)]).toEqual([500, false]);
    await expect
      .poll(() => served.events[0]?.error)
      .toMatchObject({
        message: expect.stringContaining("changed the answer after it was shaped") as string,
      });
  });

  it.each<[string, (text: string) => unknown]>([
    ["bytes", (text) => Buffer.from(text)],
    ["a stream", (text) => Readable.from([Buffer.from(text)])],
  ])("one that writes into the bytes it was given is found out, too: %s", async (_, of) => {
    const served = await serve(RULED, (app) =>
      app.get(
        "/",
        {
          onSend: (_request, _reply, payload, next) => {
            (payload as Buffer).write(CANARY, 7);
            next(null, payload);
          },
        },
        (_request, reply) => json(reply).send(of(JSON.stringify({ id: "x".repeat(CANARY.length) }))),
      ),
    );
    const answer = await ask(served, "GET / HTTP/1.1");
    expect([answer.status, answer.text.includes(CANARY)]).toEqual([500, false]);
  });

  it("by functions of Node's own, on the raw response, nothing leaves", async () => {
    const served = await serve(RULED, (app) =>
      app.get("/", (_request, reply) => {
        reply.hijack();
        ServerResponse.prototype.end.call(reply.raw, TEXT, "utf8");
      }),
    );
    const wire = await Wire.open(served.port);
    wire.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    await wire.closed();
    expect([wire.text, served.errors.length]).toEqual(["", 1]);
  });

  it("a coding that claims to be the text is undone and compared", async () => {
    const served = await serve(RULED, (app) =>
      app.get(
        "/",
        {
          onSend: (_request, reply, _payload, next) => {
            void reply.header("Content-Encoding", "gzip");
            next(null, Buffer.from(TEXT));
          },
        },
        () => ({ ...ORDER }),
      ),
    );
    const answer = await ask(served, "GET / HTTP/1.1");
    expect([answer.status, answer.raw.body.includes(CANARY)]).toEqual([500, false]);
  });

  it.each<[string, unknown, unknown]>([
    ["text for text", TEXT, SHOWN],
    ["bytes for bytes", Buffer.from(TEXT), Buffer.from(SHOWN)],
    ["bytes for bytes that have to be parsed", Buffer.from(` ${TEXT}`), Buffer.from(SHOWN)],
  ])("get %s", async (_, sent, expected) => {
    const seen: unknown[] = [];
    const served = await serve(RULED, (app) =>
      app.get(
        "/",
        {
          onSend: (_request, _reply, payload, next) => {
            seen.push(payload);
            next(null, payload);
          },
        },
        (_request, reply) => json(reply).send(sent),
      ),
    );
    const answer = await ask(served, "GET / HTTP/1.1");
    expect([answer.text, seen]).toEqual([SHOWN, [expected]]);
  });

  it("an ETag is of what was shaped", async () => {
    const seen: unknown[] = [];
    const served = await serve(RULED, (app) =>
      app.get(
        "/",
        {
          onSend: (_request, reply, payload, next) => {
            seen.push(payload);
            void reply.header("ETag", '"of-the-text"');
            next(null, payload);
          },
        },
        (_request, reply) => reply.header("ETag", '"of-the-secret"').send(ORDER),
      ),
    );
    const answer = await ask(served, "GET / HTTP/1.1");
    expect([answer.header("etag"), seen]).toEqual(['"of-the-text"', [SHOWN]]);
  });

  it("one that throws is the shaped 500, with the error for the operator", async () => {
    const served = await serve(RULED, (app) =>
      app.get("/", { onSend: async () => Promise.reject(new Error(CANARY)) }, () => ({ ...ORDER })),
    );
    const answer = await ask(served, "GET / HTTP/1.1");
    expect([answer.status, answer.header("content-type")]).toEqual([500, "application/problem+json"]);
    expect(answer.text).not.toContain(CANARY);
    await expect.poll(() => served.events[0]?.error).toMatchObject({ message: CANARY });
  });
});

it("HEAD tells the length of what GET would send", async () => {
  const served = await serve(RULED, (app) => app.get("/", () => ({ ...ORDER })));
  const answer = await ask(served, "HEAD / HTTP/1.1");
  expect([answer.status, answer.header("content-length")]).toEqual([200, String(SHOWN.length)]);
});

it("what a response schema of the host's cuts stays cut", async () => {
  const served = await serve(
    policyOf({
      "GET /": {
        response: {
          body: { type: "object", properties: { id: { type: "string" }, secret: { type: "string" } } },
        },
      },
    }),
    (app) =>
      app.get(
        "/",
        { schema: { response: { 200: { type: "object", properties: { id: { type: "string" } } } } } },
        () => ({ ...ORDER }),
      ),
  );
  expect((await ask(served, "GET / HTTP/1.1")).text).toBe(SHOWN);
});

it("a redirect keeps its Location, and has no body", async () => {
  const served = await serve(RULED, (app) => app.get("/", (_request, reply) => reply.redirect("/elsewhere")));
  const answer = await ask(served, "GET / HTTP/1.1");
  expect([answer.status, answer.header("location"), answer.text]).toEqual([302, "/elsewhere", ""]);
});

describe("trailers, which a counted answer has no room for", () => {
  it.each(["GET / HTTP/1.1", "HEAD / HTTP/1.1", "GET /304 HTTP/1.1", "GET /error HTTP/1.1"])(
    "%s",
    async (head) => {
      const rule = { response: { body: { type: "object", properties: { id: { type: "string" } } } } };
      const served = await serve(policyOf({ "GET /": rule, "GET /304": rule, "GET /error": {} }), (app) => {
        app.addHook("onRequest", (_request, reply, next) => {
          void reply.trailer("x-sum", (_reply, _payload, done) => {
            done(null, CANARY);
          });
          next();
        });
        app.get("/", () => ORDER);
        app.get("/304", (_request, reply) => reply.code(304).send(ORDER));
        app.get("/error", () => {
          throw new Error(CANARY);
        });
      });
      const answer = await ask(served, head);
      expect([answer.status, answer.header("trailer")]).toEqual([
        head.includes("304") ? 304 : head.includes("error") ? 500 : 200,
        undefined,
      ]);
      expect(answer.raw.body.toString("latin1")).not.toContain(CANARY);
    },
  );
});

it.each(["stream", "web stream"])("a %s under a rule is let go when the client leaves", async (kind) => {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  let begin = (): void => undefined;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const served = await serve(RULED, (app) =>
    app.get("/", (_request, reply) => {
      const endless = new Readable({
        read: () => begin(),
        destroy: (error, done) => {
          release();
          done(error);
        },
      });
      return json(reply).send(kind === "stream" ? endless : Readable.toWeb(endless));
    }),
  );
  const wire = await Wire.open(served.port);
  wire.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  await begun;
  wire.socket.destroy();
  await released;
  expect(served.errors).toEqual([]);
});

it("a stream that no rule reads is a stream: its first chunk leaves before its last exists", async () => {
  const source = new Readable({ read: () => undefined });
  const served = await serve(RULED, (app) => app.get("/open", (_request, reply) => reply.send(source)));
  const { Wire } = await import("../servers/wire.js");
  const wire = await Wire.open(served.port);
  wire.send("GET /open HTTP/1.1\r\nHost: a.test\r\n\r\n");
  source.push("first");
  await wire.until("first");
  source.push("last");
  source.push(null);
  await wire.until("last");
});
