/** What express runs is what the policy decided, whatever other middlewares do to the request: B1.17, B1.30. */
import { describe, expect, it } from "vitest";
import type { NextFunction, Request, Response } from "express";
import { ask, policyOf } from "../servers/wire.js";
import { serve, type Served } from "./support.js";
import { VERSIONS, type Express } from "./versions.js";

const POLICY = policyOf({
  "GET /open": {},
  "GET /admin": {},
  "POST /admin": {},
  "GET /en/admin": {},
  "GET /public/admin": {},
  "GET /items/:id": {},
  "GET /items/new": {},
});
const INTERNAL = '"title":"Internal server error"';
const REWRITTEN = "`req.url` or `req.method` was changed behind the guard";

describe.each(VERSIONS)("$name", ({ express, major }) => {
  /** With a handler of `/admin` that must not run. */
  async function tried(
    middleware: (req: Request, res: Response, next: NextFunction) => unknown,
    request = "GET /open HTTP/1.1",
    register: (app: Express, ran: (name: string) => (req: Request, res: Response) => void) => unknown = () =>
      0,
  ): Promise<{ status: number; text: string; ran: string[]; served: Served }> {
    const ran: string[] = [];
    const handler = (name: string) => (_req: Request, res: Response) => {
      ran.push(name);
      res.json(name);
    };
    const served = await serve(express, POLICY, (app, guard) => {
      app.use(guard);
      app.use(middleware);
      register(app, handler);
      app.get("/open", handler("open"));
      app.get("/admin", handler("admin"));
      app.post("/admin", handler("post admin"));
      app.use("/admin", handler("mounted admin"));
    });
    const { status, text } = await ask(served, request);
    return { status, text, ran, served };
  }

  const REWRITES: readonly [string, string, (req: Request) => unknown][] = [
    ["another path", "GET /open", (req) => (req.url = "/admin")],
    ["the end of the path", "GET /public/admin", (req) => (req.url = "/admin")],
    ["the end, after a prefix was cut", "GET /en/admin", (req) => (req.url = req.url.replace(/^\/en/u, ""))],
    ["an absolute-form target", "GET /open", (req) => (req.url = "http://a.test/admin")],
    ["another case", "GET /open", (req) => (req.url = "/ADMIN")],
    ["a query", "GET /open", (req) => (req.url = "/admin?x=/open")],
    [
      "mount path and rest of another split",
      "GET /en/admin",
      (req) => Object.assign(req, { baseUrl: "/en", url: "/admin" }),
    ],
    ["another method", "GET /admin", (req) => (req.method = "POST")],
    [
      "another method, back again too late",
      "GET /open",
      (req) => Object.assign(req, { url: "/admin", method: "POST" }),
    ],
  ];

  it.each(REWRITES)("a rewrite behind the guard reaches no handler: %s", async (_name, line, rewrite) => {
    const { status, text, ran, served } = await tried((req, _res, next) => {
      rewrite(req);
      next();
    }, `${line} HTTP/1.1`);
    expect([status, ran]).toEqual([500, []]);
    expect(text).toContain(INTERNAL);
    expect(String(served.events[0]?.error)).toMatch(
      /was changed behind the guard|another route than the one/u,
    );
  });

  it("nor when the rewriter is asynchronous, and nothing crashes", async () => {
    for (const rewrite of [
      (req: Request, _res: Response, next: NextFunction) => {
        setImmediate(() => {
          req.url = "/admin";
          next();
        });
      },
      async (req: Request, _res: Response, next: NextFunction) => {
        await Promise.resolve();
        req.url = "/admin";
        next();
      },
    ]) {
      const { status, ran } = await tried(rewrite);
      expect([status, ran]).toEqual([500, []]);
    }
  });

  it("nor inside of a route, after its first handler", async () => {
    const { status, ran } = await tried(
      (_req, _res, next) => next(),
      "GET /open HTTP/1.1",
      (app, handler) =>
        app.get(
          "/open",
          (req, _res, next) => {
            req.method = "POST";
            next();
          },
          handler("second"),
        ),
    );
    expect([status, ran]).toEqual([500, []]);
  });

  it("nor when the whole application is called again", async () => {
    const ran: string[] = [];
    const served = await serve(express, POLICY, (app, guard) => {
      app.use(guard);
      app.get("/open", (req, res) => {
        req.url = "/admin";
        (app as unknown as { handle(req: Request, res: Response): void }).handle(req, res);
      });
      app.get("/admin", (_req, res) => {
        ran.push("admin");
        res.json("admin");
      });
    });
    expect((await ask(served, "GET /open HTTP/1.1")).status).toBe(500);
    expect(ran).toEqual([]);
  });

  it("a rewrite that is undone is none", async () => {
    const { status, ran } = await tried((req, _res, next) => {
      const { url } = req;
      req.url = "/admin";
      req.url = url;
      next();
    });
    expect([status, ran]).toEqual([200, ["open"]]);
  });

  it('`next("route")` and `next("router")` go on as ever', async () => {
    const { status, ran } = await tried(
      (_req, _res, next) => next(),
      "GET /open HTTP/1.1",
      (app) => {
        app.get("/open", (_req, _res, next) => next("route"));
        const router = express.Router();
        router.get("/open", (_req, _res, next) => next("router"));
        app.use(router);
      },
    );
    expect([status, ran]).toEqual([200, ["open"]]);
  });

  it("mount paths, with and without a query, a slash and an origin, are no rewrites", async () => {
    const policy = policyOf({ "GET /a": {}, "GET /a/b": {}, "GET /a/b/c": {} });
    const served = await serve(express, policy, (app, guard) => {
      app.use(guard);
      const answer = (req: Request, res: Response): unknown => res.json(`${req.baseUrl} ${req.url}`);
      const inner = express.Router();
      inner.get("/", answer);
      inner.get("/c", answer);
      const outer = express.Router();
      outer.use("/b", inner);
      outer.get("/", answer);
      app.use("/a", (_req, _res, next) => next());
      app.use("/a", outer);
    });
    const text = async (target: string): Promise<string> =>
      (await ask(served, `GET ${target} HTTP/1.1`)).text;
    expect(await text("/a")).toBe('"/a /"');
    expect(await text("/a/?x=1")).toBe('"/a /?x=1"');
    expect(await text("/a?x=1")).toBe('"/a /?x=1"');
    expect(await text("/a/b")).toBe('"/a/b /"');
    expect(await text("/a/b/c/?y")).toBe('"/a/b /c/?y"');
    expect(await text("http://a.test/a/b/c?y")).toBe('"/a/b http://a.test/c?y"');
    expect(await text("http://a.test/a")).toMatch(/^"\/a http:\/\/a\.test\/?"$/u);
  });

  it("a rewrite in front of the guard is refused, and the operator is told where to put it", async () => {
    const changes: ((req: Request) => unknown)[] = [
      (req) => (req.url = "/open"),
      (req) => Object.assign(req, { originalMethod: req.method, method: "GET" }),
    ];
    for (const change of changes) {
      const ran: string[] = [];
      const served = await serve(express, POLICY, (app, guard) => {
        app.use((req, _res, next) => {
          change(req);
          next();
        });
        app.use(guard);
        app.use((_req, res) => {
          ran.push("any");
          res.json("any");
        });
      });
      expect((await ask(served, "POST /admin HTTP/1.1")).status).toBe(500);
      expect([ran, served.errors]).toEqual([[], [expect.stringContaining("changed in front of the guard")]]);
    }
  });

  it("a method override in a field is refused before it can be one", async () => {
    const { status, ran } = await tried((req, _res, next) => {
      req.method = "POST";
      next();
    }, "GET /admin HTTP/1.1\nX-HTTP-Method-Override: POST");
    expect([status, ran]).toEqual([400, []]);
  });

  it("a handler that takes another route's requests by its place does not run", async () => {
    const { status, ran, served } = await tried(
      (_req, _res, next) => next(),
      "GET /items/new HTTP/1.1",
      (app, handler) => {
        app.get("/items/:id", handler("item"));
        app.get("/items/new", handler("new"));
      },
    );
    expect([status, ran]).toEqual([500, []]);
    expect(String(served.events[0]?.error)).toContain("register the more specific route first");
  });

  it("middleware of all methods at such a path does", async () => {
    const { status, ran } = await tried(
      (_req, _res, next) => next(),
      "GET /items/new HTTP/1.1",
      (app, handler) => {
        app.all("/items/:id", (_req, _res, next) => next());
        app.get("/items/new", handler("new"));
        app.get("/items/:id", handler("item"));
      },
    );
    expect([status, ran]).toEqual([200, ["new"]]);
  });

  it("beside such middleware, in one route, stands a handler that does not", async () => {
    for (const method of ["GET", "HEAD"]) {
      const { status, ran } = await tried(
        (_req, _res, next) => next(),
        `${method} /items/new HTTP/1.1`,
        (app, handler) => {
          app
            .route("/items/:id")
            .all((_req, _res, next) => next())
            .get(handler("item"));
          app.get("/items/new", handler("new"));
        },
      );
      expect([status, ran]).toEqual([500, []]);
    }
  });

  it("nor in a router of another copy of express, where the guard stands too", async () => {
    const ran: string[] = [];
    const other = VERSIONS.find((one) => one.major !== major)?.express ?? express;
    const served = await serve(express, POLICY, (app, guard) => {
      const router = other.Router();
      router.use(guard);
      router.use((req, _res, next) => {
        req.url = "/admin";
        next();
      });
      router.get("/admin", (_req, res) => {
        ran.push("admin");
        res.json("admin");
      });
      app.use(router);
    });
    expect((await ask(served, "GET /open HTTP/1.1")).status).toBe(500);
    expect(ran).toEqual([]);
  });

  it("an application of connect is middleware as a whole", async () => {
    const { status, ran } = await tried(
      (_req, _res, next) => next(),
      "GET /open HTTP/1.1",
      (app) => {
        const connect = (_req: Request, _res: Response, next: NextFunction): void => next();
        app.use(Object.assign(connect, { stack: [{ route: "", handle: connect }] }));
      },
    );
    expect([status, ran]).toEqual([200, ["open"]]);
  });

  it("routes that are registered while the server runs are known", async () => {
    const served = await serve(express, POLICY, (app, guard) => {
      app.use(guard);
      app.get("/open", (_req, res) => {
        app.get("/items/:id", (_again, answer) => void answer.json("item"));
        res.json("open");
      });
    });
    await ask(served, "GET /open HTTP/1.1");
    expect((await ask(served, "GET /items/7 HTTP/1.1")).text).toBe('"item"');
    expect((await ask(served, "GET /items/new HTTP/1.1")).status).toBe(500);
  });

  it("in observe mode everything is as express has it", async () => {
    const ran: string[] = [];
    const served = await serve(express, { ...POLICY, mode: "observe" }, (app, guard) => {
      app.use(guard);
      app.use((req, _res, next) => {
        req.url = "/admin";
        next();
      });
      app.get("/admin", (_req, res) => {
        ran.push("admin");
        res.json("admin");
      });
    });
    expect((await ask(served, "GET /open HTTP/1.1")).status).toBe(200);
    expect([ran, major > 3]).toEqual([["admin"], true]);
  });

  it("says what it refused", async () => {
    const { served } = await tried((req, _res, next) => {
      req.url = "/admin";
      next();
    });
    expect(String(served.events[0]?.error)).toContain(REWRITTEN);
  });
});
