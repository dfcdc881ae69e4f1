/** Errors in every way that fastify knows, and the answers that it gives by itself. */
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { describe, expect, it } from "vitest";
import { policyOf } from "../servers/wire.js";
import { ask, serve, type Answer } from "./support.js";

const CANARY = "canary-7f3a";
const POLICY = policyOf(
  {
    "GET|POST|HEAD /": { request: { types: ["application/json", "image/*"] } },
    "GET /:name": {},
    "GET /free/*": {},
  },
  {
    errors: { expose: "code" },
  } as object,
);

function boom(): Error {
  const error = new Error(`message ${CANARY}`, { cause: CANARY });
  error.name = CANARY;
  return Object.assign(error, { detail: CANARY, toString: () => CANARY });
}

function clean(answer: Answer, status: number, code: string): void {
  expect(answer.raw.body.toString("latin1")).not.toContain(CANARY);
  expect(answer.header("content-type")).toBe("application/problem+json");
  expect(JSON.parse(answer.text)).toMatchObject({ status, code });
  expect(answer.status).toBe(status);
}

const WAYS: Readonly<Record<string, (request: FastifyRequest, reply: FastifyReply) => unknown>> = {
  thrown: () => {
    throw boom();
  },
  rejected: async () => Promise.reject(boom()),
  sent: (_request, reply) => reply.send(boom()),
  "sent with a 5xx body": (_request, reply) => reply.code(503).send({ error: CANARY }),
  "a value that JSON cannot write": () => {
    const loop: Record<string, unknown> = { CANARY };
    loop["loop"] = loop;
    return loop;
  },
};

for (const environment of ["development", "production"]) {
  it.each(Object.entries(WAYS))(`${environment}: %s`, async (way, handler) => {
    const before = process.env["NODE_ENV"];
    process.env["NODE_ENV"] = environment;
    try {
      const served = await serve(POLICY, (app) => app.get("/", handler as never));
      const status = way.includes("5xx") ? 503 : 500;
      clean(await ask(served, "GET / HTTP/1.1"), status, "handler-failed");
      if (status === 500) {
        await expect.poll(() => served.events[0]?.error).toBeInstanceOf(Error);
      }
    } finally {
      process.env["NODE_ENV"] = before;
    }
  });
}

describe("errors with a status", () => {
  const refused = (status: number) => (): never => {
    throw Object.assign(boom(), { statusCode: status });
  };

  it("a 4xx of the default error handler has the policy's shape and the error's status", async () => {
    const served = await serve(POLICY, (app) => app.get("/", refused(409)));
    clean(await ask(served, "GET / HTTP/1.1"), 409, "handler-refused");
  });

  it("a 404 is the policy's not-found", async () => {
    const served = await serve(POLICY, (app) => app.get("/", refused(404)));
    clean(await ask(served, "GET / HTTP/1.1"), 404, "not-found");
  });

  it("a 503 keeps its status", async () => {
    const served = await serve(POLICY, (app) => app.get("/", refused(503)));
    clean(await ask(served, "GET / HTTP/1.1"), 503, "handler-failed");
  });
});

describe("error handlers of the application's", () => {
  it("run first, and what they say of a 4xx is the handler's own answer", async () => {
    const served = await serve(POLICY, (app) => {
      app.setErrorHandler((_error, _request, reply) =>
        reply.code(409).send({ statusCode: 409, error: "Conflict", message: "paid already" }),
      );
      app.get("/", WAYS["thrown"] as never);
    });
    const answer = await ask(served, "GET / HTTP/1.1");
    expect([answer.status, JSON.parse(answer.text)]).toEqual([
      409,
      { statusCode: 409, error: "Conflict", message: "paid already" },
    ]);
  });

  it("what they say of a 5xx never leaves, and the error is on the event", async () => {
    const served = await serve(POLICY, (app) => {
      app.setErrorHandler((error, _request, reply) => reply.code(502).send({ message: String(error) }));
      app.get("/", WAYS["thrown"] as never);
    });
    clean(await ask(served, "GET / HTTP/1.1"), 502, "handler-failed");
    await expect.poll(() => served.events[0]?.error).toBeInstanceOf(Error);
  });

  it("one that throws leads to the shaped 500", async () => {
    const served = await serve(POLICY, (app) => {
      app.setErrorHandler(() => {
        throw boom();
      });
      app.get("/", WAYS["thrown"] as never);
    });
    clean(await ask(served, "GET / HTTP/1.1"), 500, "handler-failed");
  });

  it("of a route, and of an encapsulated context", async () => {
    const served = await serve(POLICY, (app) => {
      app.get("/", {
        errorHandler: (_error, _request, reply) => void reply.code(410).send({ own: "route" }),
        handler: WAYS["thrown"] as never,
      });
      void app.register((scope, _options, done) => {
        scope.setErrorHandler((_error, _request, reply) => void reply.code(410).send({ own: "scope" }));
        scope.get("/:name", WAYS["rejected"] as never);
        done();
      });
    });
    expect((await ask(served, "GET / HTTP/1.1")).text).toBe('{"own":"route"}');
    expect((await ask(served, "GET /x HTTP/1.1")).text).toBe('{"own":"scope"}');
  });

  it("a second error behind the first one's answer tells nothing", async () => {
    const served = await serve(POLICY, (app) =>
      app.get("/", { onSend: async () => Promise.reject(boom()) }, () => {
        throw Object.assign(new Error("first"), { statusCode: 400 });
      }),
    );
    const answer = await ask(served, "GET / HTTP/1.1");
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.raw.body.toString("latin1")).not.toContain(CANARY);
    expect(answer.header("content-type")).toBe("application/problem+json");
  });

  it("a second error in the place of an object that the first one's handler sent tells nothing", async () => {
    const served = await serve(POLICY, (app) => {
      app.setErrorHandler((_error, _request, reply) => reply.code(400).send({ own: "words" }));
      app.get(
        "/",
        { preSerialization: async () => Promise.reject(Object.assign(boom(), { statusCode: 400 })) },
        () => {
          throw new Error("first");
        },
      );
    });
    const answer = await ask(served, "GET / HTTP/1.1");
    expect([answer.status, answer.header("content-type")]).toEqual([400, "application/problem+json"]);
    expect(answer.raw.body.toString("latin1")).not.toContain(CANARY);
  });

  it("text after an object that failed is the text", async () => {
    const served = await serve(
      policyOf({
        "GET /": { response: { body: { type: "object", properties: { id: { type: "string" } } } } },
      }),
      (app) => {
        let failed = false;
        app.addHook("onSend", async (_request, _reply, payload) => {
          if (failed) return payload;
          failed = true;
          throw new Error("once");
        });
        app.setErrorHandler((_error, _request, reply) =>
          reply.code(200).type("application/json").send('{"id":"text","secret":"x"}'),
        );
        app.get("/", () => ({ id: "object", secret: CANARY }));
      },
    );
    expect((await ask(served, "GET / HTTP/1.1")).text).toBe('{"id":"text"}');
  });
});

describe("what fastify answers by itself", () => {
  const schema = {
    body: { type: "object", required: ["n"], properties: { n: { type: "integer" } } },
    querystring: { type: "object", properties: { q: { type: "integer" } } },
  };

  it("a failed validation names no value and no message", async () => {
    const served = await serve(POLICY, (app) => app.post("/", { schema }, () => "ok"));
    const answer = await ask(
      served,
      "POST / HTTP/1.1\nContent-Type: application/json",
      JSON.stringify({ [CANARY]: CANARY }),
    );
    clean(answer, 400, "handler-refused");
    expect(answer.text).not.toContain("FST_ERR");
  });

  it("a body that its parser cannot read", async () => {
    const served = await serve(POLICY, (app) => app.post("/", () => "ok"));
    clean(
      await ask(served, "POST / HTTP/1.1\nContent-Type: application/json", `{"${CANARY}`),
      400,
      "handler-refused",
    );
  });

  it("a type that no parser knows", async () => {
    const served = await serve(POLICY, (app) => app.post("/", () => "ok"));
    clean(await ask(served, "POST / HTTP/1.1\nContent-Type: image/png", CANARY), 415, "handler-refused");
  });

  it("a path that the policy has and the application has not", async () => {
    const served = await serve(POLICY, () => undefined);
    clean(await ask(served, `GET /${CANARY} HTTP/1.1`), 404, "not-found");
  });

  it("a path that neither has", async () => {
    const served = await serve(POLICY, (app) => app.get("/", () => "ok"));
    clean(await ask(served, `GET /a/b/${CANARY} HTTP/1.1`), 404, "not-found");
  });

  it("`callNotFound`, and a 404 handler of the application's, which is decided too", async () => {
    const served = await serve(POLICY, (app) => {
      app.get("/", (_request, reply) => reply.callNotFound());
      void app.register(
        (scope, _options, done) => {
          scope.setNotFoundHandler((request, reply) => reply.code(404).send({ by: request.gatehouse.route }));
          done();
        },
        { prefix: "/free" },
      );
    });
    clean(await ask(served, "GET / HTTP/1.1"), 404, "not-found");
    expect((await ask(served, "GET /free/x HTTP/1.1")).text).toBe('{"by":"GET /free/*"}');
    expect((await ask(served, "POST /free/x HTTP/1.1")).status).toBe(405);
  });

  it("`callNotFound` and an error before the parsers' turn, where the engine has read the body", async () => {
    const methods: string[] = [];
    const served = await serve(policyOf({ "POST /": { request: { body: { type: "object" } } } }), (app) =>
      app.post(
        "/",
        {
          preParsing: (request, reply, _payload, next) => {
            if (request.headers["x-missing"] !== undefined) reply.callNotFound();
            else next(Object.assign(boom(), { statusCode: 400 }));
          },
          errorHandler: (error, request) => {
            methods.push(request.method);
            throw error;
          },
        },
        () => "ok",
      ),
    );
    const head = `POST /?${CANARY} HTTP/1.1\nContent-Type: application/json`;
    const missing = await ask(served, `${head}\nX-Missing: 1`, "{}");
    expect([missing.status, missing.header("content-type")]).toEqual([404, "application/problem+json"]);
    expect(missing.raw.body.toString("latin1")).not.toContain(CANARY);
    expect([(await ask(served, head, "{}")).status, methods]).toEqual([400, ["POST"]]);
  });

  it("a parameter beyond `maxParamLength`", async () => {
    const served = await serve(POLICY, (app) => app.get("/:name", () => "ok"));
    clean(await ask(served, `GET /${CANARY}${"x".repeat(200)} HTTP/1.1`), 414, "handler-refused");
  });

  it("a target that its router cannot read is the policy's to refuse", async () => {
    const served = await serve(POLICY, (app) => app.get("/:name", () => "ok"));
    const answer = await ask(served, `GET /${CANARY}%zz HTTP/1.1`);
    expect([answer.status, answer.text.includes(CANARY)]).toEqual([400, false]);
    expect(answer.header("content-type")).toBe("application/problem+json");
    await expect.poll(() => served.events.length).toBe(1);
  });

  it("a `frameworkErrors` of the application's runs only for what was admitted", async () => {
    const seen: string[] = [];
    const served = await serve(POLICY, (app) => app.get("/:name", () => "ok"), {
      fastify: {
        frameworkErrors: (error: { code: string }, _request: unknown, reply: FastifyReply) => {
          seen.push(error.code);
          void reply.code(414).send({ own: true });
        },
      },
    });
    expect((await ask(served, "GET /%zz HTTP/1.1")).status).toBe(400);
    expect((await ask(served, `GET /${"x".repeat(200)} HTTP/1.1`)).text).toBe('{"own":true}');
    expect(seen).toEqual(["FST_ERR_MAX_PARAM_LENGTH"]);
  });
});

it("in observe mode fastify's own answers leave as they are, and the event has the error", async () => {
  const served = await serve(policyOf({ "GET /": {} }, { mode: "observe" }), (app: FastifyInstance) =>
    app.get("/", WAYS["thrown"] as never),
  );
  const bare = Fastify();
  bare.get("/", WAYS["thrown"] as never);
  const answer = await ask(served, "GET / HTTP/1.1");
  expect([answer.status, answer.text]).toEqual([500, (await bare.inject("/")).body]);
  await expect.poll(() => served.events[0]?.error).toBeInstanceOf(Error);
});
