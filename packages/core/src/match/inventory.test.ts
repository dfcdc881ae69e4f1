/** What is registered beside what the policy names. */
import { describe, expect, it } from "vitest";
import {
  createEngine,
  inventoryProblems,
  type FrameworkMatching,
  type PolicyDocument,
  type Precedence,
  type RouteInventory,
} from "../index.js";

const open = { authenticate: "none" } as const;

function policyOf(routes: readonly string[]): PolicyDocument {
  return {
    gatehouse: 1,
    name: "inventory",
    transport: { https: "off" },
    routes: Object.fromEntries(routes.map((key) => [key, open])),
  };
}

async function inventory(
  routes: readonly string[],
  registered: readonly string[],
  matching: FrameworkMatching = {},
  precedence?: Precedence,
): Promise<RouteInventory> {
  const engine = await createEngine(policyOf(routes));
  return engine.bind(matching).inventory(
    registered.map((key) => {
      const [method = "", path = ""] = key.split(" ");
      return { methods: method.split("|"), path, pattern: path };
    }),
    precedence,
  );
}

const NONE = { unnamed: [], unserved: [], differing: [] };

describe("inventory", () => {
  it.each([
    ["the same paths", ["GET /a", "POST /a/:id"], ["GET /a", "POST /a/:key"]],
    ["HEAD beside GET", ["GET /a"], ["GET|HEAD /a"]],
    ["a rule for all below", ["GET /files/*"], ["GET /files/:name", "GET /files/:a/:b"]],
    ["one handler for all below", ["GET /a/x", "POST /a/:id"], ["GET|POST|PUT /a/*"]],
    ["routes beside each other", ["GET /a/:id", "GET /a/me"], ["GET /a/me", "GET /a/:id"]],
  ])("finds nothing in %s", async (_name, routes, registered) => {
    const found = await inventory(routes, registered);
    expect({ ...found, unnamed: found.unnamed.filter(({ method }) => method !== "PUT") }).toEqual(NONE);
  });

  it("finds a route that no policy names", async () => {
    expect(await inventory(["GET /a"], ["GET /a", "DELETE /a", "GET /b"])).toEqual({
      ...NONE,
      unnamed: [
        { method: "DELETE", path: "/a" },
        { method: "GET", path: "/b" },
      ],
    });
  });

  it("finds a route of the policy that nothing serves", async () => {
    expect(await inventory(["GET /a", "GET /b/:id"], ["GET /a"])).toEqual({
      ...NONE,
      unserved: ["GET /b/:id"],
    });
  });

  it("finds a handler that the policy takes for another", async () => {
    const registered = ["GET /users/:id", "GET /users/me"];
    const { differing } = await inventory(["GET /users/:id"], registered);
    expect(differing).toEqual([
      {
        method: "GET",
        path: "/users/me",
        decidedBy: ["GET /users/:id"],
        reason: "the policy has no route of this shape, and decides requests to it by another",
      },
    ]);
  });

  it("asks which of two handlers the framework runs", async () => {
    const routes = ["GET /users/:id"];
    const registered = ["GET /:page/:part", "GET /users/:id"];
    const specific = await inventory(routes, registered);
    expect([specific.unnamed.map(({ path }) => path), specific.differing]).toEqual([["/:page/:part"], []]);
    const first = await inventory(routes, registered, {}, "order");
    expect(first.differing.map(({ path, decidedBy }) => [path, decidedBy])).toEqual([
      ["/:page/:part", routes],
    ]);
    const last = await inventory(routes, registered.toReversed(), {}, "order");
    expect(last.unnamed.map(({ path }) => path)).toEqual(["/:page/:part"]);
  });

  it("does not compare what it cannot read", async () => {
    const engine = await createEngine(policyOf(["GET /a"]));
    const found = engine.inventory([{ methods: ["GET"], path: "/^a/", pattern: undefined }]);
    expect(inventoryProblems(found)).toEqual([
      "`GET /a` is a route of the policy, and nothing serves it",
      "`GET /^a/`: its path cannot be compared with a policy's: it is a regular expression or has parts of segments",
    ]);
  });

  it("says each gap in a line", async () => {
    const found = await inventory(["GET /users/:id"], ["GET /b", "GET /users/me"]);
    expect(inventoryProblems(found)).toEqual([
      "`GET /b` is registered, and no route of the policy names it: it is refused",
      "`GET /users/me`: the policy has no route of this shape, and decides requests to it by another (`GET /users/:id`)",
    ]);
  });

  it("follows how the framework matches", async () => {
    const routes = ["GET /A"];
    expect((await inventory(routes, ["GET /a"])).unserved).toEqual(["GET /A"]);
    expect(await inventory(routes, ["GET /a/"], { caseSensitive: false, trailingSlash: "ignored" })).toEqual(
      NONE,
    );
  });
});
