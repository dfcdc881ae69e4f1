/** The application's routes beside the policy's, as express 5 and 4 write them. */
import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { ask, policyOf } from "../servers/wire.js";
import { listen, stop } from "../node-http/target.js";
import { guardOf, serve } from "./support.js";
import { VERSIONS, type Express } from "./versions.js";

const HANDLER = (): void => undefined;
const DIFFER = "the application and the policy have different routes:\n";

describe.each(VERSIONS)("$name", ({ express, major }) => {
  const wild = (path: string): string => (major === 5 ? path.replace("*", "*rest") : path);

  async function inventory(
    routes: readonly string[],
    register: (app: Express) => unknown,
    settings: Record<string, unknown> = {},
  ): Promise<unknown> {
    const { guarded } = await guardOf(policyOf(Object.fromEntries(routes.map((key) => [key, {}]))));
    const app = express();
    for (const [name, value] of Object.entries(settings)) app.set(name, value);
    app.use(guarded);
    register(app);
    const { unnamed, unserved, differing, unguarded } = guarded.inventory(app);
    return {
      ...(unnamed.length > 0 ? { unnamed: unnamed.map(({ method, path }) => `${method} ${path}`) } : {}),
      ...(unserved.length > 0 ? { unserved } : {}),
      ...(differing.length > 0
        ? { differing: differing.map(({ method, path }) => `${method} ${path}`) }
        : {}),
      ...(unguarded.length > 0
        ? { unguarded: unguarded.map(({ method, path }) => `${method} ${path}`) }
        : {}),
    };
  }

  it("finds no gap where there is none", async () => {
    const found = await inventory(
      [
        "GET /",
        "GET /orders/:id",
        "POST /orders",
        "GET /files/*",
        "GET /v1/a/:x/b",
        "* /any",
        "GET /caf\u00e9",
      ],
      (app) => {
        app.use(express.json(), (_req, _res, next) => next());
        app.use((_error: unknown, _req: unknown, _res: unknown, _next: unknown) => undefined);
        app.get("/", HANDLER);
        app.get("/orders/:order", HANDLER);
        app.route("/orders").post(HANDLER);
        app.get(wild("/files/*"), HANDLER);
        app.all("/any", HANDLER);
        app.get("/caf%C3%A9", HANDLER);
        const inner = express.Router();
        inner.get("/b", HANDLER);
        const outer = express.Router();
        outer.use("/a/:x", inner);
        app.use("/v1", outer);
      },
    );
    expect(found).toEqual({});
  });

  it("tells what the policy does not name, and what nothing serves", async () => {
    const found = await inventory(["GET /a", "POST /a", "GET /gone"], (app) => {
      app.get(["/a", "/b"], HANDLER);
      app.use("/v1", express.Router().delete("/c", HANDLER).get("/", HANDLER));
      app.all("/d/:x", HANDLER);
    });
    expect(found).toEqual({
      unnamed: ["GET /b", "DELETE /v1/c", "GET /v1", "ALL /d/:x"],
      unserved: ["GET /gone", "POST /a"],
    });
  });

  it("tells what cannot be compared", async () => {
    const found = await inventory(["GET /*"], (app) => {
      app.get(/^\/x/u, HANDLER);
      app.get("/a/:x-:y", HANDLER);
      app.get("/a/:x.json", HANDLER);
      app.get(wild("/a/*/b"), HANDLER);
      app.get(wild("/*"), HANDLER);
      app.use(/^\/mounted/u, express.Router().get("/x", HANDLER));
    });
    expect(found).toEqual({
      differing: [
        "GET /^\\/x/u",
        "GET /a/:x-:y",
        "GET /a/:x.json",
        `GET ${wild("/a/*/b")}`,
        "GET /^\\/mounted/u/x",
      ],
    });
  });

  it("reads optional parts as both", async () => {
    const [path, names] =
      major === 5
        ? (["/o{/:a{/:b}}", ["/o", "/o/:a", "/o/:a/:b"]] as const)
        : (["/o/:a?/:b(\\d+)?", ["/o", "/o/:a", "/o/:a/:b"]] as const);
    expect(
      await inventory(
        names.map((name) => `GET ${name}`),
        (app) => app.get(path, HANDLER),
      ),
    ).toEqual({});
  });

  it("what stands before the guard is guarded by nobody", async () => {
    const { guarded } = await guardOf(policyOf({ "GET /a": {}, "GET /b": {} }));
    const app = express();
    app.get("/a", HANDLER);
    app.use(express.Router().all("/r", HANDLER));
    app.use(guarded);
    app.get("/b", HANDLER);
    expect(guarded.inventory(app)).toEqual({
      unguarded: [
        { method: "GET", path: "/a" },
        { method: "ALL", path: "/r" },
      ],
      unnamed: [],
      unserved: ["GET /a"],
      differing: [],
    });
  });

  it("nor what shows no routes there: another application, static files", async () => {
    const { guarded } = await guardOf(policyOf({ "GET /open": {} }));
    const app = express();
    app.use("/admin", express());
    app.use("/files", express.static("/nowhere"));
    app.use(guarded);
    app.use("/behind", express());
    expect(guarded.inventory(app).unguarded).toEqual([
      { method: "ALL", path: "/admin/*" },
      { method: "ALL", path: "/files/*" },
    ]);
  });

  it("nor what its mount path covers but in part", async () => {
    const { guarded } = await guardOf(policyOf({ "GET /:v/x": {}, "GET /v1/y": {} }));
    const app = express();
    app.use("/v1", guarded);
    app.get("/:v/x", HANDLER);
    app.get("/v1/y", HANDLER);
    app.use("/:p/sub", express());
    expect(guarded.inventory(app)).toEqual({
      unguarded: [
        { method: "GET", path: "/:v/x" },
        { method: "ALL", path: "/:p/sub/*" },
      ],
      unnamed: [],
      unserved: [],
      differing: [],
    });
  });

  it("nor below a mount path with a slash at its end", async () => {
    const { guarded } = await guardOf(policyOf({ "GET /v1/x": {} }));
    const app = express();
    app.get("/v1/early", (_req, res) => void res.json(1));
    app.use("/v1/", guarded);
    app.get("/v1/x", (_req, res) => void res.json(1));
    const { unguarded, unserved } = guarded.inventory(app);
    expect([unguarded, unserved]).toEqual([[{ method: "GET", path: "/v1/early" }], []]);
  });

  it("what stands outside of its mount path is none of its business", async () => {
    const { guarded } = await guardOf(policyOf({ "GET /v1/a": {} }));
    const app = express();
    app.get("/health", HANDLER);
    app.get("/v1/early", HANDLER);
    const api = express.Router();
    api.use(guarded);
    api.get("/a", HANDLER);
    app.use("/v1", api);
    app.get("/about", HANDLER);
    const { unguarded, unnamed, unserved } = guarded.inventory(app);
    expect([unguarded, unnamed, unserved]).toEqual([[{ method: "GET", path: "/v1/early" }], [], []]);
  });

  it("what shows no routes may serve what lies below it", async () => {
    expect(
      await inventory(["GET /static/*", "GET /sub/x", "GET /other"], (app) => {
        app.use("/static", express.static("."));
        app.use("/sub", express().get("/x", HANDLER) as Express);
      }),
    ).toEqual({ unserved: ["GET /other"] });
  });

  it("a router with options of its own is told", async () => {
    const register = (app: Express): unknown => app.use(express.Router().get("/a", HANDLER));
    expect(await inventory(["GET /a"], register)).toEqual({});
    expect(await inventory(["GET /a"], register, { "case sensitive routing": true })).toEqual({
      differing: ["GET /a"],
    });
    const own = (app: Express): unknown =>
      app.use(express.Router({ caseSensitive: true }).get("/a", HANDLER));
    expect(await inventory(["GET /a"], own, { "case sensitive routing": true })).toEqual({});
  });

  it("`warn` tells once, with the first request, when everything is registered", async () => {
    const served = await serve(
      express,
      policyOf({ "GET /a": {}, "GET /gone": {} }),
      (app, guard) => {
        app.use(guard);
        app.get("/a", (_req, res) => res.json("a"));
        app.get("/b", HANDLER);
      },
      { guard: { inventory: "warn" } },
    );
    expect(served.errors).toEqual([]);
    expect((await ask(served, "GET /a HTTP/1.1")).text).toBe('"a"');
    await ask(served, "GET /a HTTP/1.1");
    expect(served.errors).toEqual([
      `${DIFFER}\`GET /b\` is registered, and no route of the policy names it: it is refused\n` +
        "`GET /gone` is a route of the policy, and nothing serves it",
    ]);
  });

  it("`strict` does not start, and answers nothing on a server of another's making", async () => {
    const { guarded, errors } = await guardOf(policyOf({ "GET /a": {} }), { guard: { inventory: "strict" } });
    const app = express();
    app.use(guarded);
    app.get("/a", (_req, res) => res.json("never"));
    app.get("/b", HANDLER);
    const message = `${DIFFER}\`GET /b\` is registered, and no route of the policy names it: it is refused`;
    expect(() => app.listen(0)).toThrow(new Error(message));
    const server = createServer(app);
    const port = await listen(server);
    const answer = await ask({ port }, "GET /a HTTP/1.1");
    expect([answer.status, answer.text.includes("never")]).toEqual([500, false]);
    await ask({ port }, "GET /a HTTP/1.1");
    expect(errors).toEqual([message]);
    await stop(server);
  });

  it("`strict` starts where there is no gap", async () => {
    const { guarded, errors } = await guardOf(policyOf({ "GET /a": {} }), { guard: { inventory: "strict" } });
    const app = express();
    app.use(guarded);
    app.get("/a", (_req, res) => res.json("a"));
    const server = app.listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    expect((await ask({ port }, "GET /a HTTP/1.1")).text).toBe('"a"');
    expect(errors).toEqual([]);
    await stop(server);
  });
});
