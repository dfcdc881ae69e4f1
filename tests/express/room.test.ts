/** What the guard puts on requests and responses ahead of express: room, that costs nothing and hides nothing. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setFlagsFromString } from "node:v8";
import { describe, expect, it } from "vitest";
import type { NextFunction, Request, Response } from "express";
import { ask, policyOf } from "../servers/wire.js";
import { serve } from "./support.js";
import { VERSIONS } from "./versions.js";

const BODY = { type: "object", properties: { a: { type: "string" } } };
const POLICY = policyOf({
  "GET /free": {},
  "GET /ruled": { response: { body: BODY } },
  "GET /sub/free": {},
});

setFlagsFromString("--allow-natives-syntax");
// oxlint-disable-next-line eslint/no-new-func, typescript/no-implied-eval -- TypeScript has no words for calls of V8
const haveSameClass = new Function("a", "b", "return %HaveSameMap(a, b)") as (
  a: object,
  b: object,
) => boolean;

describe.each(VERSIONS)("$name", ({ express }) => {
  it.each(["/free", "/ruled"])("%s: all guarded responses are of one hidden class", async (path) => {
    const seen: Response[] = [];
    const served = await serve(express, POLICY, (app, guard) => {
      app.use(guard);
      app.get(path, (_req, res) => {
        seen.push(res);
        res.json({ a: "1" });
      });
    });
    for (let count = 0; count < 4; count++) await ask(served, `GET ${path} HTTP/1.1`);
    const [, , one = {}, other = {}] = seen;
    expect(seen).toHaveLength(4);
    expect(haveSameClass(one, other)).toBe(true);
  });

  it("what a server in front of the application has put there stays", async () => {
    const body = { from: "the platform" };
    const locals = { a: 1 };
    const seen: unknown[] = [];
    const options = {
      server: (app: (req: IncomingMessage, res: ServerResponse) => void) =>
        createServer((req, res) => {
          Object.assign(req, { body });
          Object.assign(res, { locals });
          app(req, res);
        }),
    };
    const served = await serve(
      express,
      POLICY,
      (app, guard) => {
        app.use((req: Request, res: Response, next: NextFunction) => {
          seen.push(req.body, res.locals);
          next();
        });
        app.use(guard);
        app.get("/free", (_req, res) => void res.end());
      },
      options,
    );
    expect((await ask(served, "GET /free HTTP/1.1")).status).toBe(200);
    expect(seen).toEqual([body, locals]);
  });

  it("a method that was put on the response itself is the one that Node's answer goes through", async () => {
    const calls: string[] = [];
    const options = {
      server: (app: (req: IncomingMessage, res: ServerResponse) => void) =>
        createServer((req, res) => {
          const end = res.end.bind(res) as (...given: unknown[]) => ServerResponse;
          res.end = ((...given: unknown[]) => {
            calls.push("end");
            return end(...given);
          }) as ServerResponse["end"];
          app(req, res);
        }),
    };
    const served = await serve(
      express,
      POLICY,
      (app, guard) => {
        app.use(guard);
        app.get("/free", (_req, res) => void res.end("free"));
      },
      options,
    );
    expect((await ask(served, "GET /free HTTP/1.1")).text).toBe("free");
    expect(calls).toEqual(["end"]);
  });

  it("an application's own `json` and `end` count in front of the guard, and a sub-application's own `json`", async () => {
    const calls: string[] = [];
    const served = await serve(express, POLICY, (app, guard) => {
      const response = app.response as unknown as Record<string, unknown>;
      const end = response["end"] as (...given: unknown[]) => unknown;
      response["end"] = function (this: Response, ...given: unknown[]): unknown {
        calls.push("end");
        return end.apply(this, given);
      };
      const sub = express();
      (sub.response as unknown as Record<string, unknown>)["json"] = function (this: Response): unknown {
        calls.push("sub");
        return this.end("sub");
      };
      sub.get("/open", (_req, res) => void res.json({}));
      app.use("/sub", sub);
      (app.response as unknown as Record<string, unknown>)["json"] = function (this: Response): unknown {
        calls.push("app");
        return this.end("app");
      };
      app.get("/open", (_req, res) => void res.json({}));
      app.use(guard);
    });
    expect((await ask(served, "GET /sub/open HTTP/1.1")).text).toBe("sub");
    expect((await ask(served, "GET /open HTTP/1.1")).text).toBe("app");
    expect(calls).toEqual(["sub", "end", "app", "end"]);
  });
});
