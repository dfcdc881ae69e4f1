/** hono's routes beside the policy's. */
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { describe, expect, it } from "vitest";
import { gatehouse, guard, honoRoutes, inventory } from "@gatehouse/fetch";
import { policyOf } from "../servers/wire.js";
import { engineOf, onErrorOf } from "./support.js";

const ok = (): Response => new Response("ok");
const pass = async (_c: unknown, next: () => Promise<void>): Promise<void> => next();
const NOTHING = { unnamed: [], unserved: [], differing: [], unguarded: [] };

describe("honoRoutes", () => {
  it("lists handlers, each route once, as a policy would write it", () => {
    const inner = new Hono().get("/:id", ok).all("/any", ok);
    inner.onError(() => new Response("inner"));
    const app = new Hono()
      .use(pass)
      .get("/orders", pass, ok)
      .get("/orders/:id{[0-9]+}", ok)
      .get("/optional/:a?", ok)
      .get("/tail/*", ok)
      .get("/deep/:path{.+}", ok)
      .get("/part-*", ok)
      .route("/inner", inner);
    expect(
      honoRoutes(app).map(
        ({ methods, path, pattern }) => `${methods.join("|")} ${path} -> ${String(pattern)}`,
      ),
    ).toEqual([
      "GET /orders -> /orders",
      "GET /orders/:id{[0-9]+} -> /orders/:id",
      "GET /optional -> /optional",
      "GET /optional/:a -> /optional/:a",
      "GET /tail/* -> /tail/*",
      "GET /deep/:path{.+} -> undefined",
      "GET /part-* -> undefined",
      "GET /inner/:id -> /inner/:id",
      "GET|POST|PUT|DELETE|OPTIONS|PATCH /inner/any -> /inner/any",
    ]);
  });
});

describe("inventory", () => {
  it("finds what either side lacks, and is silent where they agree", async () => {
    const { engine } = await engineOf(
      policyOf({ "GET /a": {}, "GET /files/*": {}, "GET /files": {}, "GET|POST /any": {} }),
    );
    const app = new Hono().get("/a", ok).get("/files/*", ok).all("/any", ok);
    expect(inventory(engine, app)).toEqual(NOTHING);
    app.post("/b", ok);
    expect(inventory(engine, app)).toEqual({ ...NOTHING, unnamed: [{ method: "POST", path: "/b" }] });
    const { engine: more } = await engineOf(policyOf({ "GET /a": {}, "GET /c": {} }));
    expect(inventory(more, new Hono().get("/a", ok))).toEqual({ ...NOTHING, unserved: ["GET /c"] });
  });

  it("finds routes that the guard does not stand before", async () => {
    const { engine } = await engineOf(policyOf({ "GET /early": {}, "GET /api/a": {}, "GET /other": {} }));
    const app = new Hono()
      .get("/early", ok)
      .use("/api/*", gatehouse(engine))
      .get("/api/a", ok)
      .get("/other", ok);
    expect(inventory(engine, app)).toEqual({
      ...NOTHING,
      unguarded: [
        { method: "GET", path: "/early" },
        { method: "GET", path: "/other" },
      ],
    });
  });
});

describe("when the first request comes", () => {
  const POLICY = policyOf({ "GET /a": {}, "GET /c": {} });
  const MESSAGE =
    "the application's routes and the policy's differ:\n`GET /early` is registered where the guard does not stand before it: it is not guarded\n" +
    "`GET /early` is registered, and no route of the policy names it: it is refused\n`GET /c` is a route of the policy, and nothing serves it";

  it.each([
    ["warn", [200, 200], [MESSAGE]],
    ["strict", [500, 500], [MESSAGE]],
    ["off", [200, 200], []],
  ] as const)("%s", async (level, statuses, told) => {
    const { engine, errors, events } = await engineOf(POLICY);
    const app = new Hono().get("/early", ok);
    app
      .use(gatehouse(engine, { app, inventory: level, onError: onErrorOf({ engine, errors, events }) }))
      .get("/a", ok);
    expect([(await app.request("/a")).status, (await app.request("/a")).status]).toEqual(statuses);
    expect(errors).toEqual(told);
  });

  it("a guard around the application compares too, and HTTPException is no route", async () => {
    const { engine, errors, events } = await engineOf(policyOf({ "GET /a": {} }));
    const app = new Hono().get("/a", () => {
      throw new HTTPException(418);
    });
    const fetch = guard(engine, (request) => app.fetch(request), {
      app,
      inventory: "strict",
      onError: onErrorOf({ engine, errors, events }),
    });
    expect([(await fetch(new Request("http://a.test/a"))).status, errors]).toEqual([418, []]);
  });
});
