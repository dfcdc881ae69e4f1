/** Middleware that waits for the head or the end of an answer, as sessions, timers and compression do, behind the guard and in front of it. */
import { ServerResponse } from "node:http";
import compression from "compression";
import { describe, expect, it } from "vitest";
import type { NextFunction, Request, Response } from "express";
import { ask, policyOf, Wire } from "../servers/wire.js";
import { serve } from "./support.js";
import { VERSIONS } from "./versions.js";

const BODY = { type: "object", properties: { a: { type: "string" } } };
const POLICY = policyOf({
  "GET /free": {},
  "GET /ruled": { response: { body: BODY } },
  "GET /events": { response: { events: BODY } },
});
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

/** What `express-session` does with an answer that has a length: all but its last byte leaves at once, and that when the session is saved. */
function splitting(saved: string[]) {
  return (_req: Request, res: Response, next: NextFunction): void => {
    const end = Reflect.get(res, "end") as (...given: unknown[]) => Response;
    const write = Reflect.get(res, "write") as (...given: unknown[]) => boolean;
    res.end = function (this: Response, chunk?: string | Buffer, encoding?: BufferEncoding): Response {
      const inner = res as unknown as { _header: unknown; _implicitHeader(): void };
      if (inner._header === null) inner._implicitHeader();
      const bytes = typeof chunk === "string" ? Buffer.from(chunk, encoding) : (chunk ?? Buffer.alloc(0));
      if (bytes.length > 0) Reflect.apply(write, res, [bytes.subarray(0, -1)]);
      saved.push("saved");
      setTimeout(() => Reflect.apply(end, res, [bytes.subarray(-1)]), 5);
      return this;
    } as Response["end"];
    next();
  };
}

/** As some monitors do: the functions that they call were taken from Node when they were loaded. */
function keeping(_req: Request, res: Response, next: NextFunction): void {
  const end = Reflect.get(ServerResponse.prototype, "end") as (...given: unknown[]) => Response;
  const write = Reflect.get(ServerResponse.prototype, "write") as (...given: unknown[]) => boolean;
  res.write = function (this: Response, ...given: unknown[]): boolean {
    return Reflect.apply(write, this, given);
  } as Response["write"];
  res.end = function (this: Response, ...given: unknown[]): Response {
    return Reflect.apply(end, this, given);
  } as Response["end"];
  next();
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

  describe.each([
    ["splits the end", splitting],
    ["delays the end", atEnd],
  ])("what %s", (_what, middleware) => {
    it.each(WAYS)("%s: goes on in front of the guard, and behind it", async (_name, write) => {
      for (const first of [true, false]) {
        const saved: string[] = [];
        const served = await serve(express, POLICY, (app, guard) => {
          if (first) app.use(middleware(saved));
          app.use(guard);
          if (!first) app.use(middleware(saved));
          app.get("/ruled", (_req, res) => void write(res));
        });
        const { status, text } = await ask(served, "GET /ruled HTTP/1.1");
        expect([status, JSON.parse(text), saved, served.errors]).toEqual([200, { a: "1" }, ["saved"], []]);
      }
    });
  });

  it.each(["/ruled", "/events"])("%s: compression in front of the guard goes on", async (path) => {
    const served = await serve(express, POLICY, (app, guard) => {
      app.use(compression({ threshold: 0 }));
      app.use(guard);
      app.get("/ruled", (_req, res) => void res.json(VALUE));
      app.get("/events", (_req, res) => {
        res.type("text/event-stream").write(`data: ${JSON.stringify(VALUE)}\n\n`);
        setTimeout(() => res.end(`data: ${JSON.stringify(VALUE)}\n\n`), 20);
      });
    });
    const answer = await fetch(`http://127.0.0.1:${served.port}${path}`, {
      headers: { "Accept-Encoding": "gzip" },
    });
    const text = await answer.text();
    expect([answer.headers.get("content-encoding"), served.errors]).toEqual(["gzip", []]);
    expect(text).toBe(path === "/ruled" ? '{"a":"1"}' : 'data: {"a":"1"}\n\n'.repeat(2));
  });

  it.each(WAYS)(
    "%s: by functions of Node's own nothing leaves that a rule has not seen",
    async (_name, write) => {
      const served = await serve(express, POLICY, (app, guard) => {
        app.use(guard);
        app.use(keeping);
        app.get("/ruled", (_req, res) => void write(res));
      });
      const wire = await Wire.open(served.port);
      wire.send("GET /ruled HTTP/1.1\r\nHost: a.test\r\n\r\n");
      await wire.closed();
      expect([wire.text, served.errors.length]).toEqual(["", 1]);
    },
  );
});
