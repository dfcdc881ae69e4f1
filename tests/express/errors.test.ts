/** What no handler answers, and what handlers throw: the policy's shape, never express's page (B8.134). */
import { afterEach, describe, expect, it } from "vitest";
import type { NextFunction, Request, Response } from "express";
import { ask, policyOf } from "../servers/wire.js";
import { serve } from "./support.js";
import { VERSIONS, type Express } from "./versions.js";

const CANARY = "canary-9b1c";
const POLICY = policyOf({
  "GET /x": {},
  "POST /x": {},
  "GET /unserved": {},
  "GET /concealed": { conceal: true },
});
const ENVIRONMENT = process.env["NODE_ENV"];

afterEach(() => {
  if (ENVIRONMENT === undefined) delete process.env["NODE_ENV"];
  else process.env["NODE_ENV"] = ENVIRONMENT;
});

function secretError(members: object = {}): Error {
  return Object.assign(new Error(CANARY, { cause: CANARY }), {
    name: CANARY,
    headers: { "X-A": CANARY },
    ...members,
  });
}

describe.each(VERSIONS)("$name", ({ express, major }) => {
  const served = (
    handler: (req: Request, res: Response, next: NextFunction) => unknown,
    register: (app: Express) => unknown = () => 0,
  ): ReturnType<typeof serve> =>
    serve(express, POLICY, (app, guard) => {
      app.use(guard);
      app.get("/x", handler);
      register(app);
    });

  const FAILURES: readonly [string, (req: Request, res: Response, next: NextFunction) => unknown][] = [
    [
      "thrown",
      () => {
        throw secretError();
      },
    ],
    ["handed on", (_req, _res, next) => next(secretError())],
    ["handed on later", (_req, _res, next) => void setTimeout(next, 1, secretError())],
    ["text", (_req, _res, next) => next(CANARY)],
    ["after fields were set", (_req, res, next) => next(res.set("X-Secret", CANARY) && secretError())],
  ];
  const rejected: (typeof FAILURES)[number] = ["rejected", async () => Promise.reject(secretError())];

  it.each(major === 5 ? [...FAILURES, rejected] : FAILURES)(
    "an error is the policy's 500, the same in development and production: %s",
    async (_name, handler) => {
      const bodies = [];
      for (const environment of ["development", "production", "test"]) {
        process.env["NODE_ENV"] = environment;
        const app = await served(handler);
        const answer = await ask(app, "GET /x HTTP/1.1");
        expect([answer.status, answer.header("content-type")]).toEqual([500, "application/problem+json"]);
        expect(JSON.stringify([answer.headers, answer.text])).not.toContain(CANARY);
        const { instance, correlation, ...rest } = JSON.parse(answer.text) as Record<string, unknown>;
        expect(instance).toBe(`urn:uuid:${String(correlation)}`);
        bodies.push(rest);
        expect(String(app.events[0]?.error)).toContain(CANARY);
      }
      expect(bodies).toEqual(
        Array.from(bodies, () => ({
          type: "about:blank",
          title: "Internal server error",
          status: 500,
          code: "handler-failed",
        })),
      );
    },
  );

  it.each([
    [{ status: 404 }, 404, "not-found"],
    [{ statusCode: 409 }, 409, "handler-refused"],
    [{ status: 400, expose: true }, 400, "handler-refused"],
    [{ status: 401 }, 401, "handler-refused"],
    [{ status: 503 }, 503, "handler-failed"],
    [{ status: 200 }, 500, "handler-failed"],
    [{ status: "404" }, 500, "handler-failed"],
    [{ status: 404.5 }, 500, "handler-failed"],
    [{ status: 999 }, 500, "handler-failed"],
  ])(
    "an error that carries %o is answered by its status, and says nothing else",
    async (members, status, code) => {
      const app = await served((_req, _res, next) => next(secretError(members)));
      const answer = await ask(app, "GET /x HTTP/1.1");
      expect([answer.status, (JSON.parse(answer.text) as { code: string }).code]).toEqual([status, code]);
      expect(JSON.stringify([answer.headers, answer.text])).not.toContain(CANARY);
    },
  );

  it("one without a status takes what the handler had set", async () => {
    const app = await served((_req, res, next) => next(res.status(418) && secretError()));
    expect((await ask(app, "GET /x HTTP/1.1")).status).toBe(418);
  });

  it("the application's own error handlers come first", async () => {
    const app = await served(
      () => {
        throw new Error("mine");
      },
      (one) =>
        one.use((error: Error, _req: Request, res: Response, _next: NextFunction) =>
          res.status(422).json({ said: error.message }),
        ),
    );
    const answer = await ask(app, "GET /x HTTP/1.1");
    expect([answer.status, answer.text]).toEqual([422, '{"said":"mine"}']);
  });

  it("B1.18: what nobody answers is the policy's 404", async () => {
    const app = await served((_req, _res, next) => next());
    for (const line of ["GET /x", "GET /unserved", "HEAD /x"]) {
      const answer = await ask(app, `${line} HTTP/1.1`);
      expect([answer.status, answer.header("content-type")]).toEqual([404, "application/problem+json"]);
      expect(answer.text).not.toContain("Cannot");
    }
    expect(app.events.map(({ outcome, status }) => [outcome, status])).toEqual(
      Array.from({ length: 3 }, () => ["admit", 404]),
    );
  });

  it("B8.137: on a concealed route it is the 404 of what does not exist", async () => {
    const app = await served(() => 0);
    const [one, other] = [await ask(app, "GET /concealed HTTP/1.1"), await ask(app, "GET /nowhere HTTP/1.1")];
    const plain = ({ text }: { text: string }): string =>
      text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/gu, "id");
    expect(plain(one)).toBe(plain(other));
  });

  it("with a body that nobody read the connection goes on", async () => {
    const app = await served(() => 0);
    const answer = await ask(
      app,
      "POST /x HTTP/1.1\nContent-Type: application/json\nContent-Length: 5",
      "12345",
    );
    expect([answer.status, answer.header("connection")]).toEqual([404, "keep-alive"]);
  });

  it("B8.136: after bytes were sent the connection is closed", async () => {
    const app = await served((_req, res, next) => {
      res.write("half");
      next(secretError());
    });
    await expect(ask(app, "GET /x HTTP/1.1")).rejects.toThrow(/^the connection ended/u);
    expect(app.errors).toEqual([CANARY]);
  });

  it("a handler that answers and hands on has answered", async () => {
    const app = await served((_req, res, next) => {
      res.json("answered");
      next();
    });
    expect((await ask(app, "GET /x HTTP/1.1")).text).toBe('"answered"');
    expect(app.errors).toEqual([]);
  });

  it("in observe mode express has the last word, as ever", async () => {
    const app = await serve(
      express,
      { ...POLICY, mode: "observe" },
      (one, guard) => {
        one.use(guard);
        one.get("/x", (_req, _res, next) => next(Object.assign(new Error("mine"), { status: 418 })));
      },
      { settings: { env: "test" } },
    );
    const answer = await ask(app, "GET /x HTTP/1.1");
    expect([answer.status, answer.header("content-type")]).toEqual([418, "text/html; charset=utf-8"]);
    expect((await ask(app, "GET /nothing HTTP/1.1")).text).toContain("Cannot GET /nothing");
  });

  it("requests that no guard decided are express's own", async () => {
    const app = await serve(express, POLICY, (one, guard) => one.use("/x", guard), {
      settings: { env: "test" },
    });
    expect((await ask(app, "GET /y HTTP/1.1")).text).toContain("Cannot GET /y");
  });

  it("whoever called the application gets what falls out of it", async () => {
    const heard: unknown[] = [];
    const app = await serve(express, POLICY, (outer, guard) => {
      const inner = express();
      inner.use(guard);
      inner.get("/x", (_req, _res, next) => next(new Error("mine")));
      outer.use((req, res) => {
        inner(req, res, (error?: unknown) => {
          heard.push(String(error));
          res.status(200).json("outer");
        });
      });
    });
    expect((await ask(app, "GET /x HTTP/1.1")).text).toBe('"outer"');
    expect(heard).toEqual(["Error: mine"]);
  });
});
