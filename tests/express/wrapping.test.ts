/** Middleware behind the guard that waits for the head or the end of an answer, as sessions, timers and compression do. */
import compression from "compression";
import { describe, expect, it } from "vitest";
import type { NextFunction, Request, Response } from "express";
import { ask, policyOf } from "../servers/wire.js";
import { serve } from "./support.js";
import { VERSIONS } from "./versions.js";

const BODY = { type: "object", properties: { a: { type: "string" } } };
const POLICY = policyOf({ "GET /free": {}, "GET /ruled": { response: { body: BODY } } });
const VALUE = { a: "1", secret: "canary-7f3a" };

/** What the package `on-headers` does. */
function atHead(_req: Request, res: Response, next: NextFunction): void {
  const writeHead = Reflect.get(res, "writeHead") as (...given: unknown[]) => Response;
  let told = false;
  res.writeHead = function (this: Response, ...given: unknown[]): Response {
    if (!told) res.append("Set-Cookie", "late=1");
    told = true;
    return Reflect.apply(writeHead, this, given);
  } as Response["writeHead"];
  next();
}

/** What `express-session` does: the answer's end waits until the session is saved. */
function atEnd(saved: string[]) {
  return (_req: Request, res: Response, next: NextFunction): void => {
    const end = Reflect.get(res, "end") as (...given: unknown[]) => Response;
    res.end = function (this: Response, ...given: unknown[]): Response {
      const inner = res as unknown as { _header: unknown; _implicitHeader(): void };
      if (inner._header === null) inner._implicitHeader();
      saved.push("saved");
      setImmediate(() => Reflect.apply(end, this, given));
      return this;
    } as Response["end"];
    next();
  };
}

const WAYS: readonly (readonly [string, (res: Response) => unknown])[] = [
  ["json", (res) => res.json(VALUE)],
  ["end", (res) => res.type("json").end(JSON.stringify(VALUE))],
  ["write and end", (res) => res.type("json").write('{"a":') && res.end('"1","secret":"canary-7f3a"}')],
  [
    "writeHead",
    (res) => res.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(VALUE)),
  ],
];

describe.each(VERSIONS)("$name", ({ express }) => {
  describe.each(["/free", "/ruled"])("%s", (path) => {
    it.each(WAYS)(
      "%s: what waits for the head is told once, and the end is waited for",
      async (_name, write) => {
        const saved: string[] = [];
        const served = await serve(express, POLICY, (app, guard) => {
          app.use(guard);
          app.use(atHead);
          app.use(atEnd(saved));
          app.get(path, (_req, res) => void write(res));
        });
        const { status, text, headers } = await ask(served, `GET ${path} HTTP/1.1`);
        expect([status, saved, served.errors]).toEqual([200, ["saved"], []]);
        expect(headers.filter(([, value]) => value === "late=1")).toHaveLength(1);
        expect(text.includes("canary")).toBe(path === "/free");
      },
    );
  });

  it.each(["/free", "/ruled"])(
    "%s: who waits for the head alone is told, however it leaves",
    async (path) => {
      for (const [, write] of WAYS) {
        const served = await serve(express, POLICY, (app, guard) => {
          app.use(guard);
          app.use(atHead);
          app.get(path, (_req, res) => void write(res));
        });
        const { status, headers } = await ask(served, `GET ${path} HTTP/1.1`);
        expect([status, headers.filter(([, value]) => value === "late=1").length]).toEqual([200, 1]);
      }
    },
  );

  it("an answer given as an object is cut, and then compressed", async () => {
    const served = await serve(express, POLICY, (app, guard) => {
      app.use(guard);
      app.use(compression({ threshold: 0 }));
      app.get("/ruled", (_req, res) => void res.json(VALUE));
    });
    const answer = await fetch(`http://127.0.0.1:${served.port}/ruled`, {
      headers: { "Accept-Encoding": "gzip" },
    });
    expect([answer.headers.get("content-encoding"), await answer.json()]).toEqual(["gzip", { a: "1" }]);
  });
});
