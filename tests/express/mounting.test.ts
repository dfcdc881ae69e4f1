/** Where the guard may stand, and what of an application it reads. */
import { createServer, type Server } from "node:http";
import { describe, expect, it } from "vitest";
import { PolicyError } from "@gatehouse/core";
import { gatehouse, guardUpgrade } from "@gatehouse/express";
import { ask, policyOf, Wire } from "../servers/wire.js";
import { listen, stop } from "../node-http/target.js";
import { guardOf, serve } from "./support.js";
import { VERSIONS } from "./versions.js";

const POLICY = policyOf({ "GET /v1/open": {}, "GET /v1/items/:id": {}, "GET /health": {} });

describe.each(VERSIONS)("$name", ({ express }) => {
  it("one line guards all that is registered behind it", async () => {
    const served = await serve(express, POLICY, (app, guard) => {
      app.use(guard);
      app.get("/v1/open", (req, res) => res.json({ route: req.gatehouse?.route }));
      app.get("/v1/hidden", (_req, res) => res.json("never"));
    });
    expect((await ask(served, "GET /v1/open HTTP/1.1")).text).toBe('{"route":"GET /v1/open"}');
    expect((await ask(served, "GET /v1/hidden HTTP/1.1")).status).toBe(404);
  });

  it("B1.10: below a mount path the policy sees the whole target", async () => {
    const served = await serve(express, POLICY, (app, guard) => {
      app.use("/v1", guard);
      app.get("/v1/items/:id", (req, res) =>
        res.json({ ...req.gatehouse?.params, route: req.gatehouse?.route }),
      );
      app.get("/health", (req, res) => res.json({ guarded: req.gatehouse !== undefined }));
    });
    expect(JSON.parse((await ask(served, "GET /v1/items/7 HTTP/1.1")).text)).toEqual({
      id: "7",
      route: "GET /v1/items/:id",
    });
    expect((await ask(served, "GET /v1/nothing HTTP/1.1")).status).toBe(404);
    expect((await ask(served, "GET /health HTTP/1.1")).text).toBe('{"guarded":false}');
  });

  it("stands in a router, which knows its application with the first request", async () => {
    const served = await serve(express, POLICY, (app, guard) => {
      const api = express.Router();
      api.use(guard);
      api.get("/items/:id", (req, res) => res.json(req.gatehouse?.route));
      app.use("/v1", api);
    });
    // The first one falls through: it was under way when the guard first saw its application.
    const missing = await ask(served, "GET /v1/open HTTP/1.1");
    expect([missing.status, missing.header("content-type")]).toEqual([404, "application/problem+json"]);
    expect((await ask(served, "GET /v1/items/7 HTTP/1.1")).text).toBe('"GET /v1/items/:id"');
    const again = await ask(served, "GET /v1/open HTTP/1.1");
    expect([again.status, again.header("content-type")]).toEqual([404, "application/problem+json"]);
    expect(served.errors).toEqual([]);
  });

  it("stands in an application that is mounted in another", async () => {
    const served = await serve(express, POLICY, (app, guard) => {
      const api = express();
      api.use(guard);
      api.get("/items/:id", (req, res) => res.json(req.gatehouse?.route));
      app.use("/v1", api);
    });
    expect((await ask(served, "GET /v1/items/7 HTTP/1.1")).text).toBe('"GET /v1/items/:id"');
    const missing = await ask(served, "GET /v1/open HTTP/1.1");
    expect([missing.status, missing.header("content-type")]).toEqual([404, "application/problem+json"]);
  });

  it("guards an application mounted behind it", async () => {
    const served = await serve(express, POLICY, (app, guard) => {
      const api = express();
      api.get("/items/:id", (req, res) => res.json(req.gatehouse?.route));
      app.use(guard);
      app.use("/v1", api);
    });
    expect((await ask(served, "GET /v1/items/7 HTTP/1.1")).text).toBe('"GET /v1/items/:id"');
    expect((await ask(served, "GET /v1/nothing HTTP/1.1")).status).toBe(404);
  });

  it("B1.4: matches case and slash as the application's router does, whatever was set afterwards", async () => {
    for (const [settings, statuses] of [
      [{}, [200, 200]],
      [{ "case sensitive routing": true }, [404, 200]],
      [{ "strict routing": true }, [200, 404]],
    ] as const) {
      const served = await serve(
        express,
        POLICY,
        (app, guard) => {
          app.use(guard);
          app.set("case sensitive routing", !("case sensitive routing" in settings));
          app.get("/v1/open", (_req, res) => res.json("ok"));
        },
        { settings },
      );
      const found = [await ask(served, "GET /V1/OPEN HTTP/1.1"), await ask(served, "GET /v1/open/ HTTP/1.1")];
      expect(found.map(({ status }) => status)).toEqual(statuses);
    }
  });

  it("refuses routes that this application could not tell apart, where it is mounted", async () => {
    const { guarded } = await guardOf(policyOf({ "GET /a": {}, "GET /A": { transport: "any" } }));
    expect(() => express().use(guarded)).toThrow(PolicyError);
    const sensitive = express();
    sensitive.enable("case sensitive routing");
    expect(() => sensitive.use(guarded)).not.toThrow();
  });

  it.each([[true], [1], ["loopback"], [() => true]])("B2.42: refuses `trust proxy`: %s", async (trust) => {
    const { guarded, errors, engine } = await guardOf(POLICY);
    const before = express();
    before.set("trust proxy", trust);
    expect(() => before.use(guarded)).toThrow(/^express's `trust proxy` is set/u);
    const after = express();
    after.use(guarded);
    after.set("trust proxy", trust);
    expect(() => after.listen(0)).toThrow(/^express's `trust proxy` is set/u);
    const server = createServer(after);
    const port = await listen(server);
    expect((await ask({ port }, "GET /v1/open HTTP/1.1")).status).toBe(500);
    await ask({ port }, "GET /v1/open HTTP/1.1");
    expect(errors).toEqual([expect.stringMatching(/^express's `trust proxy` is set/u)]);
    await stop(server);
    await engine.close();
  });

  it("lets `trust proxy` be off in any way", async () => {
    for (const off of [false, 0]) {
      const app = express();
      app.set("trust proxy", off);
      const { guarded } = await guardOf(POLICY);
      expect(() => app.use(guarded)).not.toThrow();
    }
  });

  it("tells handlers the client that the policy sees", async () => {
    const policy = policyOf(
      { "GET /who": {} },
      { transport: { https: "off", trust: { peers: ["loopback"], header: "x-forwarded-for" } } },
    );
    const served = await serve(express, policy, (app, guard) => {
      app.use(guard);
      app.get("/who", (req, res) => res.json(req.gatehouse?.client));
    });
    const { text } = await ask(served, "GET /who HTTP/1.1\nX-Forwarded-For: 203.0.113.9");
    expect(JSON.parse(text)).toEqual({ ip: "203.0.113.9", scheme: "http", host: "a.test" });
  });

  it("a router with other options than its application never runs the handler of another route", async () => {
    const policy = policyOf({ "GET /:section/x": {}, "GET /admin/x": {} });
    const ran: string[] = [];
    const served = await serve(
      express,
      policy,
      (app, guard) => {
        app.use(guard);
        // By default in any case, while the application is told to be sensitive.
        const router = express.Router();
        router.get("/admin/x", (_req, res) => {
          ran.push("admin");
          res.json("admin");
        });
        app.use(router);
        app.get("/:section/x", (_req, res) => res.json("section"));
      },
      { settings: { "case sensitive routing": true } },
    );
    expect((await ask(served, "GET /admin/x HTTP/1.1")).text).toBe('"admin"');
    expect((await ask(served, "GET /ADMIN/x HTTP/1.1")).status).toBe(500);
    expect((await ask(served, "GET /other/x HTTP/1.1")).text).toBe('"section"');
    expect(ran).toEqual(["admin"]);
  });

  it("two guards on one request end it: one answer has one policy", async () => {
    const served = await serve(express, POLICY, (app, guard) => {
      app.use(guard);
      app.use("/v1", guard);
      app.get("/v1/open", (_req, res) => res.json("never"));
    });
    expect((await ask(served, "GET /v1/open HTTP/1.1")).status).toBe(500);
  });

  it("answers 500 where something else than express calls it", async () => {
    const { guarded, errors, engine } = await guardOf(POLICY);
    const server = createServer((req, res) => guarded(req, res, () => res.end("never")));
    const port = await listen(server);
    expect((await ask({ port }, "GET /v1/open HTTP/1.1")).status).toBe(500);
    expect(errors).toEqual(["the guard was called by something else than an express application"]);
    await stop(server);
    await engine.close();
  });

  it("B2.34: answers 500 on a server where a stranger takes upgrades, and says so once", async () => {
    const served = await serve(
      express,
      POLICY,
      (app, guard) => {
        app.use(guard);
        app.get("/v1/open", (_req, res) => res.json("never"));
      },
      { server: (app) => createServer(app).on("upgrade", (_req, socket) => socket.destroy()) },
    );
    expect((await ask(served, "GET /v1/open HTTP/1.1")).status).toBe(500);
    expect((await ask(served, "GET /v1/open HTTP/1.1")).status).toBe(500);
    expect(served.errors).toEqual([expect.stringContaining("a listener for `upgrade` on this server")]);
  });

  it("judges each of several servers for itself, and tells of each once", async () => {
    let second: Server | undefined;
    const served = await serve(
      express,
      POLICY,
      (app, guard) => {
        app.use(guard);
        app.get("/v1/open", (_req, res) => res.json("ran"));
      },
      {
        server: (app) => {
          second = createServer(app);
          return createServer(app).on("upgrade", (_req, socket) => socket.destroy());
        },
      },
    );
    if (second === undefined) throw new Error("no second server");
    const port = await listen(second);
    const statuses = [];
    for (const one of [served.port, port, served.port, port]) {
      statuses.push((await ask({ port: one }, "GET /v1/open HTTP/1.1")).status);
    }
    await stop(second);
    expect(statuses).toEqual([500, 200, 500, 200]);
    expect(served.errors).toHaveLength(1);
  });

  it("B2.36: `app.listen` owns its server: 100 only after the decision, upgrades by `guardUpgrade` alone", async () => {
    const policy = policyOf({
      "POST /in": { request: { body: { type: "object" } } },
      "GET /chat": { upgrade: "websocket" },
    });
    const { guarded, engine } = await guardOf(policy);
    const app = express();
    app.use(guarded);
    app.post("/in", (req, res) => res.json(req.body));
    const server = app.listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    expect(() => server.on("upgrade", () => undefined)).toThrow(/^a listener for `upgrade`/u);
    server.on(
      "upgrade",
      guardUpgrade(engine, (_req, socket) => socket.end("HTTP/1.1 101 Hi\r\n\r\n")),
    );

    const refused = await Wire.open(port);
    refused.send("POST /none HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    expect((await refused.answer()).status).toBe(404);
    expect(refused.text).not.toContain("100 Continue");
    const wire = await Wire.open(port);
    wire.send("POST /in HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n");
    wire.send("Content-Type: application/json\r\n\r\n");
    await wire.until("HTTP/1.1 100 Continue");
    wire.send("{}");
    expect((await wire.answer()).body.toString()).toBe("{}");
    const upgrade = (path: string): Promise<{ status: number }> =>
      ask({ port }, `GET ${path} HTTP/1.1\nConnection: Upgrade\nUpgrade: websocket`);
    expect((await upgrade("/chat")).status).toBe(101);
    expect((await upgrade("/none")).status).toBe(403);
    await stop(server);
    await engine.close();
  });

  it("names the option that nobody knows", async () => {
    const { engine } = await guardOf(POLICY);
    const wrong = (options: object) => () => gatehouse(engine, options);
    expect(wrong({ onErorr: () => undefined })).toThrow(
      new TypeError("unknown option `onErorr`; did you mean `onError`?"),
    );
    expect(wrong({ inventory: "loud" })).toThrow(
      new TypeError("`inventory` is not one of warn, strict, off"),
    );
    expect(wrong({ responseLimit: -1 })).toThrow(
      new TypeError("`responseLimit` is not a whole number of bytes"),
    );
  });
});
