/** Where the plugin may stand, and what it refuses to stand in. */
import dns from "node:dns";
import { createServer } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import { throwawayCertificate } from "@gatehouse/core/conformance";
import { createEngine } from "@gatehouse/core";
import { gatehouse, type GatehouseOptions } from "@gatehouse/fastify";
import { guardUpgrade, type UpgradeHandler } from "@gatehouse/node-http";
import Fastify, { type FastifyInstance } from "fastify";
import { describe, expect, it, vi } from "vitest";
import { later, policyOf, Wire } from "../servers/wire.js";
import { ask, built, serve } from "./support.js";
import { portOf } from "./target.js";

/** No caller comes in here. */
const CLOSED = { authorize: [{ check: "never" }] };
const POLICY = policyOf({
  "GET /a": {},
  "GET /closed": CLOSED,
  "GET /v1": CLOSED,
  "GET /v1/closed": CLOSED,
});
const ENGINE = { checks: { never: () => false } };

describe("B1.51: wherever a route was registered, it is guarded", () => {
  const ran: string[] = [];
  const closed = (app: FastifyInstance): void => {
    app.get("/closed", () => ran.push("closed"));
  };
  const child =
    (add: (scope: FastifyInstance) => void, prefix = "") =>
    (app: FastifyInstance): void => {
      void app.register(
        (scope, _options, done) => {
          add(scope);
          done();
        },
        { prefix },
      );
    };

  const WAYS: readonly [string, (app: FastifyInstance) => void, string][] = [
    ["on the root", closed, "/closed"],
    ["in a plugin", child(closed), "/closed"],
    ["in a plugin of a plugin", child(child(closed)), "/closed"],
    ["under a prefix", child(closed, "/v1"), "/v1/closed"],
    ["at a prefix", child((app) => app.get("/", () => ran.push("v1")), "/v1"), "/v1"],
  ];
  for (const [name, add, path] of WAYS) {
    for (const last of [false, true]) {
      it(`${name}, ${last ? "before" : "after"} the guard`, async () => {
        ran.length = 0;
        const served = await serve(POLICY, add, { engine: ENGINE, last });
        expect([(await ask(served, `GET ${path} HTTP/1.1`)).status, ran]).toEqual([403, []]);
      });
    }
  }

  it("a guard inside of a plugin would not see the routes outside: start-up fails", async () => {
    const { app, guard } = await built(POLICY, { engine: ENGINE });
    void guard;
    const engine = await createEngine(POLICY, ENGINE);
    void app.register(async (scope) => {
      await scope.register(gatehouse, { engine });
    });
    await expect(async () => app.ready()).rejects.toThrow("register it on the root instance");
  });

  it("two guards are refused", async () => {
    const { app, guard } = await built(POLICY, { engine: ENGINE });
    guard();
    guard();
    await expect(async () => app.ready()).rejects.toThrow("gatehouse");
  });

  it.each(["5.0.0", "5.8.5"])("fastify %s answers targets by itself, and is refused", async (version) => {
    const { app, guard } = await built(POLICY, { engine: ENGINE });
    Object.defineProperty(app, "version", { value: version });
    guard();
    await expect(async () => app.ready()).rejects.toMatchObject({ code: "FST_ERR_PLUGIN_VERSION_MISMATCH" });
  });
});

describe("options", () => {
  const refusal = async (options: object): Promise<string> => {
    const app = Fastify();
    later(() => app.close());
    void app.register(gatehouse, options as GatehouseOptions);
    return app.ready().then(
      () => "ready",
      (error: unknown) => String(error),
    );
  };

  it.each([
    [{ responseLimt: 1 }, "TypeError: unknown option `responseLimt`; did you mean `responseLimit`?"],
    [
      { prefix: "/v1" },
      "TypeError: unknown option `prefix`; the options are engine, responseLimit, onError, onUpgrade, inventory",
    ],
    [{ responseLimit: -1 }, "TypeError: `responseLimit` is not a whole number of bytes"],
    [{ onError: 1 }, "TypeError: `onError` is not a function"],
    [{ onUpgrade: 1 }, "TypeError: `onUpgrade` is not a function"],
    [{ inventory: "loud" }, "TypeError: `inventory` is none of `warn`, `strict` and `off`"],
  ])("%j", async (options, message) => {
    const engine = await createEngine(POLICY, ENGINE);
    expect(await refusal({ engine, ...options })).toBe(message);
  });

  it("without an engine", async () => {
    expect(await refusal({})).toContain("`engine` is not an engine");
  });
});

describe("a fastify that cannot be followed", () => {
  it.each([
    [{ trustProxy: true }, "`transport.trust`"],
    [{ trustProxy: "127.0.0.1" }, "`transport.trust`"],
    [{ rewriteUrl: () => "/a" }, "`rewriteUrl`"],
    [{ routerOptions: { decodeTwice: true } }, "`decodeTwice`"],
  ])("%j", async (fastify, part) => {
    const { app, guard } = await built(POLICY, { engine: ENGINE, fastify: fastify as never });
    guard();
    await expect(async () => app.ready()).rejects.toThrow(part);
  });

  it.each(["defaultRoute", "onBadUrl", "onMaxParamLength"])(
    "B1.18: what the router itself would answer undecided requests with: %s",
    async (name) => {
      const answer = (): void => undefined;
      for (const fastify of [{ routerOptions: { [name]: answer } }, { [name]: answer }]) {
        const { app, guard } = await built(POLICY, { engine: ENGINE, fastify });
        guard();
        await expect(async () => app.ready()).rejects.toThrow(`\`${name}\``);
      }
    },
  );

  it("B2.34: a stranger's listener for upgrades, before and after", async () => {
    const before = await built(POLICY, { engine: ENGINE });
    before.app.server.on("upgrade", () => undefined);
    before.guard();
    await expect(async () => before.app.ready()).rejects.toThrow("`upgrade`");

    const after = await built(POLICY, { engine: ENGINE });
    after.guard();
    await after.app.ready();
    expect(() => after.app.server.on("upgrade", () => undefined)).toThrow("guardUpgrade");
    expect(() => after.app.server.on("connect", () => undefined)).toThrow("`connect`");
    expect(() => after.app.server.on("checkContinue", () => undefined)).toThrow("`checkContinue`");
  });

  it("a second listener for requests is found with the first of them", async () => {
    const served = await serve(POLICY, (app) => app.get("/a", () => "a"), { engine: ENGINE });
    served.app.server.on("request", () => undefined);
    expect((await ask(served, "GET /a HTTP/1.1")).status).toBe(500);
    expect(served.errors[0]).toContain("`request`");
  });

  it("routes that the policy cannot tell apart under fastify's matching", async () => {
    const policy = policyOf({ "GET /x": {}, "GET /X": {} });
    const { app, guard } = await built(policy, { fastify: { routerOptions: { caseSensitive: false } } });
    guard();
    await expect(async () => app.ready()).rejects.toThrow("indistinguishable");
  });
});

describe("routes that fastify takes otherwise than the policy", () => {
  it("a constraint that leads to another route than the one decided: 404, told once", async () => {
    const ran: string[] = [];
    const served = await serve(
      policyOf({ "GET /admin": {}, "GET /:page": CLOSED }),
      (app) => {
        app.get("/admin", { constraints: { host: "admin.test" } }, () => ran.push("admin"));
        app.get("/:page", () => ran.push("page"));
      },
      { engine: ENGINE },
    );
    for (let count = 0; count < 2; count += 1) {
      expect((await ask(served, "GET /admin HTTP/1.1")).status).toBe(404);
    }
    expect(ran).toEqual([]);
    expect(served.errors).toEqual([
      "fastify led a request to `GET /:page` that the policy decided as `GET /admin`: it was answered 404",
    ]);
  });

  it("variants of one path are one route of the policy's", async () => {
    const served = await serve(policyOf({ "GET /a": {} }), (app) => {
      app.get("/a", { constraints: { version: "2.0.0" } }, () => "two");
      app.get("/a", () => "one");
    });
    expect((await ask(served, "GET /a HTTP/1.1")).text).toBe("one");
    expect((await ask(served, "GET /a HTTP/1.1\nAccept-Version: 2.0.0")).text).toBe("two");
  });

  it("B1.19: the Kelvin sign folds in fastify's router, and reaches no handler", async () => {
    const ran: string[] = [];
    const served = await serve(
      policyOf({ "GET /king": CLOSED, "GET /:any": {} }),
      (app) => {
        app.get("/king", () => ran.push("king"));
        app.get("/:any", () => ran.push("any"));
      },
      { engine: ENGINE, fastify: { routerOptions: { caseSensitive: false } } },
    );
    expect((await ask(served, "GET /%E2%84%AAing HTTP/1.1")).status).toBe(404);
    expect((await ask(served, "GET /KING HTTP/1.1")).status).toBe(403);
    expect(ran).toEqual([]);
  });

  it("a regular expression, several parameters in a segment, an optional one, a prefix with and without its slash", async () => {
    const served = await serve(
      policyOf({
        "GET /n/:id": {},
        "GET /pair/:both": {},
        "GET /opt": {},
        "GET /opt/:a": {},
        "GET /v1": {},
        "GET /v1/": {},
        "GET /col:on": {},
      }),
      (app) => {
        app.get("/n/:id(^\\d+$)", () => "number");
        app.get("/pair/:a-:b", () => "pair");
        app.get("/opt/:a?", () => "opt");
        app.get("/col::on", () => "colon");
        void app.register(
          (scope, _options, done) => {
            scope.get("/", () => "v1");
            done();
          },
          { prefix: "/v1" },
        );
      },
      { last: true },
    );
    const texts = await Promise.all(
      ["/n/1", "/pair/1-2", "/opt", "/opt/x", "/v1", "/v1/", "/col:on"].map(
        async (path) => (await ask(served, `GET ${path} HTTP/1.1`)).text,
      ),
    );
    expect([texts, served.errors]).toEqual([["number", "pair", "opt", "opt", "v1", "v1", "colon"], []]);
    expect((await ask(served, "GET /n/x HTTP/1.1")).status).toBe(404);
  });

  it("the policy may be replaced by one with other routes", async () => {
    const engine = await createEngine(policyOf({ "GET /:x": {} }));
    const app = Fastify();
    later(async () => {
      await app.close();
      await engine.close();
    });
    void app.register(gatehouse, { engine, inventory: "off" });
    app.get("/a", () => "a");
    await app.listen({ port: 0, host: "127.0.0.1" });
    const served = { port: portOf(app) };
    expect((await ask(served, "GET /a HTTP/1.1")).status).toBe(200);
    await engine.replace(policyOf({ "GET /a": {}, "GET /:y": {} }));
    expect((await ask(served, "GET /a HTTP/1.1")).status).toBe(200);
    await engine.replace(policyOf({ "GET /b": {} }));
    expect((await ask(served, "GET /a HTTP/1.1")).status).toBe(404);
  });
});

it("a request that waits over a replacement is compared by the policy that decides it", async () => {
  const named = (parameter: string): ReturnType<typeof policyOf> =>
    policyOf({ [`GET /:${parameter}`]: { authorize: [{ check: "slow" }] } });
  let asked = (): void => undefined;
  let answer = (_allowed: boolean): void => undefined;
  const waits = new Promise<void>((resolve) => (asked = resolve));
  const allowed = new Promise<boolean>((resolve) => (answer = resolve));
  const engine = await createEngine(named("old"), {
    checks: {
      slow: async () => {
        asked();
        return allowed;
      },
    },
  });
  const app = Fastify();
  const errors: unknown[] = [];
  later(async () => {
    await app.close();
    await engine.close();
  });
  void app.register(gatehouse, { engine, inventory: "off", onError: (error) => void errors.push(error) });
  app.get("/:x", (request) => ({ route: request.gatehouse.route }));
  await app.listen({ port: 0, host: "127.0.0.1" });
  const waiting = ask({ port: portOf(app) }, "GET /a HTTP/1.1");
  await waits;
  await engine.replace(named("new"));
  answer(true);
  expect([(await waiting).text, errors]).toEqual(['{"route":"GET /:old"}', []]);
});

describe("inventory", () => {
  const build = (app: FastifyInstance): void => {
    app.get("/early", () => "early");
    void app.register(
      (scope, _options, done) => {
        scope.get("/a", () => "a");
        scope.get("/re/:x(^a+$)", () => "re");
        scope.all("/closed", () => "closed");
        done();
      },
      { prefix: "" },
    );
  };
  const policy = policyOf({ "GET /a": {}, "* /closed": {}, "GET /nobody": {} });
  const told = [
    "`GET /early` is registered, and no route of the policy names it: it is refused",
    "`GET /nobody` is a route of the policy, and nothing serves it",
    "`GET /re/:x(^a+$)`: its path cannot be compared with a policy's: it is a regular expression or has parts of segments",
  ];

  it("`warn` tells once, and has the list as data", async () => {
    const served = await serve(policy, build, { guard: { inventory: "warn" }, last: true });
    expect(served.errors).toHaveLength(1);
    for (const line of told) expect(served.errors[0]).toContain(line);
    expect(served.app.gatehouse.inventory()).toMatchObject({
      unnamed: [{ method: "GET", path: "/early" }],
      unserved: ["GET /nobody"],
      differing: [{ method: "GET", path: "/re/:x(^a+$)", decidedBy: [] }],
    });
  });

  it("`strict` does not become ready", async () => {
    const { app, guard } = await built(policy, { guard: { inventory: "strict" } });
    guard();
    build(app);
    await expect(async () => app.ready()).rejects.toThrow(told[0]);
  });

  it("`off` looks at nothing, and nothing is told where nothing differs", async () => {
    const off = await serve(policy, build, { guard: { inventory: "off" } });
    const same = await serve(policyOf({ "GET /a": {} }), (app) => app.get("/a", () => "a"), {
      guard: { inventory: "warn" },
    });
    expect([off.errors, same.errors]).toEqual([[], []]);
  });
});

describe("servers", () => {
  const open = policyOf({ "GET /a": {}, "GET /ws": { upgrade: "websocket" } });

  it("inject has no socket, and is decided all the same", async () => {
    const { app, guard } = await built(POLICY, { engine: ENGINE });
    guard();
    app.get("/a", () => "a");
    app.get("/closed", () => "closed");
    expect((await app.inject("/a")).body).toBe("a");
    expect((await app.inject("/closed")).statusCode).toBe(403);
    expect((await app.inject("/nowhere")).statusCode).toBe(404);
    expect((await app.inject("/%zz")).headers["content-type"]).toBe("application/problem+json");
  });

  it("https", async () => {
    const certificate = throwawayCertificate();
    const served = await serve(POLICY, (app) => app.get("/a", () => "a"), {
      engine: ENGINE,
      fastify: { https: certificate },
    });
    const statusOf = async (path: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        httpsRequest(
          { port: served.port, host: "127.0.0.1", path, rejectUnauthorized: false, agent: false },
          (answer) => resolve(answer.resume().statusCode),
        )
          .on("error", reject)
          .end();
      });
    expect([await statusOf("/a"), await statusOf("/closed")]).toEqual([200, 403]);
  });

  it("http2, in clear text", async () => {
    const served = await serve(POLICY, (app) => app.get("/a", () => "a"), {
      engine: ENGINE,
      fastify: { http2: true, http: {} },
    });
    const session = connectHttp2(`http://127.0.0.1:${served.port}`);
    later(() => session.destroy());
    const statusOf = async (path: string): Promise<unknown> =>
      new Promise((resolve, reject) => {
        session
          .request({ ":path": path })
          .on("response", (fields) => resolve(fields[":status"]))
          .on("error", reject)
          .resume();
      });
    expect([await statusOf("/a"), await statusOf("/closed")]).toEqual([200, 403]);
  });

  describe("the second server that fastify opens where `localhost` has two addresses", () => {
    const UPGRADE =
      "GET /ws HTTP/1.1\r\nHost: a.test\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n";

    const both = async (guarded: Partial<GatehouseOptions>): Promise<string[]> => {
      const { lookup } = dns;
      vi.spyOn(dns, "lookup").mockImplementation(((name: string, options: unknown, done: unknown) => {
        if (typeof done !== "function" || (options as { all?: boolean }).all !== true) {
          return Reflect.apply(lookup, dns, [name, options, done]) as unknown;
        }
        const addresses = ["127.0.0.1", "127.0.0.2"].map((address) => ({ address, family: 4 }));
        return (done as (error: null, found: object) => unknown)(null, addresses);
      }) as never);
      later(() => void vi.restoreAllMocks());
      const { app, guard } = await built(open, { guard: guarded });
      guard();
      app.get("/a", () => "a");
      app.get("/ws", () => "ws");
      await app.listen({ port: 0, host: "localhost" });
      expect(
        app
          .addresses()
          .map((one) => (typeof one === "string" ? one : one.address))
          .toSorted(),
      ).toEqual(["127.0.0.1", "127.0.0.2"]);
      const { port } = app.server.address() as { readonly port: number };
      return Promise.all(
        [
          "GET /a HTTP/1.1\r\nHost: a.test\r\nExpect: 200-ok\r\nConnection: close\r\n\r\n",
          "POST /a HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 1\r\nConnection: close\r\n\r\n",
          UPGRADE,
        ].map(async (request) => (await said(port, request)).split("\r\n")[0] ?? ""),
      );
    };

    const said = async (port: number, request: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connect(port, "127.0.0.2", () => socket.write(request));
        let text = "";
        socket.on("data", (bytes: Buffer) => {
          text += bytes.toString("latin1");
          if (text.includes("\r\n\r\n")) socket.destroy();
        });
        socket.on("close", () => resolve(text));
        socket.on("error", reject);
      });

    it("decides before 100, and hands upgrades to the guard", async () => {
      const onUpgrade: UpgradeHandler = (_req, socket) =>
        void socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\n");
      expect(await both({ onUpgrade })).toEqual([
        "HTTP/1.1 417 Expectation Failed",
        "HTTP/1.1 405 Method Not Allowed",
        "HTTP/1.1 101 Switching Protocols",
      ]);
    });

    it("answers upgrades that nobody takes, where fastify would leave the client waiting", async () => {
      expect((await both({}))[2]).toBe("HTTP/1.1 501 Not Implemented");
    });
  });

  it("a server of the application's own making", async () => {
    const served = await serve(POLICY, (app) => app.get("/closed", () => "closed"), {
      engine: ENGINE,
      fastify: { http: undefined, serverFactory: ((handler: never) => createServer(handler)) as never },
    });
    expect((await ask(served, "GET /closed HTTP/1.1")).status).toBe(403);
  });

  it("`guardUpgrade` on the application's server is no stranger", async () => {
    const { app, guard, errors } = await built(open);
    guard();
    await app.ready();
    app.server.on(
      "upgrade",
      guardUpgrade(app.gatehouse.engine, (_req, socket) => void socket.end("HTTP/1.1 101 Own\r\n\r\n")),
    );
    await app.listen({ port: 0, host: "127.0.0.1" });
    const upgrade =
      "HTTP/1.1\r\nHost: a.test\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    const allowed = await Wire.open(portOf(app));
    await allowed.send(`GET /ws ${upgrade}`).closed();
    const refused = await Wire.open(portOf(app));
    await refused.send(`GET /a ${upgrade}`).closed();
    expect([allowed.text.slice(0, 12), refused.text.slice(0, 12), errors]).toEqual([
      "HTTP/1.1 101",
      "HTTP/1.1 403",
      [],
    ]);
  });
});
