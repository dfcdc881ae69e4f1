/** hono on its own server for Node, strict and not: the policy's route is the one whose handler runs. */
import { describe, expect, it } from "vitest";
import type { HttpBindings } from "@hono/node-server";
import { gatehouse, guard, type GatehouseVariables, type HandlerContext } from "@gatehouse/fetch";
import { Hono } from "hono";
import { TrieRouter } from "hono/router/trie-router";
import {
  compareRoutes,
  describeDifferential,
  REQUESTS,
  type DifferentialStart,
} from "../servers/differential.js";
import { listen, stop } from "../node-http/target.js";
import { serve, type FetchHandler } from "./target.js";

type App = Hono<{ Bindings: HttpBindings; Variables: GatehouseVariables }>;
type Running = Promise<{ port: number; close(): Promise<void> }>;

const target = (_request: Request, { incoming }: HttpBindings): string => incoming.url ?? "";
const requests = REQUESTS / 4;

describeDifferential("hono", (given) => inside(given, new Hono()), { requests });
describeDifferential("hono, any slash", (given) => inside(given, new Hono({ strict: false })), { requests });
describeDifferential(
  "hono, another router",
  (given) => inside(given, new Hono({ router: new TrieRouter() })),
  {
    requests,
  },
);
describeDifferential("hono behind a guard that is told the target", (given) => around(given, new Hono()), {
  requests,
});

describe("the comparison itself", () => {
  it("finds an application whose slash makes no difference behind a policy where it does", async () => {
    const { disagreements } = await compareRoutes(
      (given) => {
        const app: App = new Hono({ strict: false });
        const contexts = new WeakMap<Request, HandlerContext>();
        register(app, given, (request) => contexts.get(request));
        const guarded = guard<[env: HttpBindings]>(given.engine, (request, context, env) => {
          contexts.set(request, context);
          return app.fetch(request, env);
        });
        return running(guarded);
      },
      1,
      // One in a thousand shows it, and what stands behind an answer that closes may never be read.
      5000,
    );
    expect(disagreements.some((one) => one.startsWith("`GET%20/admin` ran, and `*%20/*` was decided"))).toBe(
      true,
    );
  });
});

async function inside(given: DifferentialStart, app: App): Running {
  app.use(gatehouse(given.engine, { app, inventory: "strict" }));
  register(app, given);
  return running((request, env) => app.fetch(request, env));
}

async function around(given: DifferentialStart, app: App): Running {
  const contexts = new WeakMap<Request, HandlerContext>();
  register(app, given, (request) => contexts.get(request));
  const guarded = guard<[env: HttpBindings]>(
    given.engine,
    (request, context, env) => {
      contexts.set(request, context);
      return app.fetch(request, env);
    },
    { app, inventory: "strict", target },
  );
  return running(guarded);
}

function register(
  app: App,
  { routes, fields }: DifferentialStart,
  contextOf: (request: Request) => HandlerContext | undefined = () => undefined,
): void {
  for (const route of routes) {
    const methods = route.method === "*" ? ["ALL"] : [route.method];
    app.on(methods, route.path, (c) => {
      const context = (c.get("gatehouse") as HandlerContext | undefined) ?? contextOf(c.req.raw);
      return c.text("ran", 200, fields(route, context?.route ?? null));
    });
  }
}

async function running(fetch: FetchHandler): Running {
  const server = serve(fetch, undefined);
  const port = await listen(server);
  return { port, close: () => stop(server) };
}
