/** Express 5 and 4, case and trailing slash both ways: the policy's route is the one whose handler runs. */
import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { gatehouse } from "@gatehouse/express";
import { pass } from "@gatehouse/node-http";
import {
  compareRoutes,
  describeDifferential,
  type DifferentialStart,
  type HandledRoute,
} from "../servers/differential.js";
import { listen, stop } from "../node-http/target.js";
import { VERSIONS, versionOf, type Express, type Factory } from "./versions.js";

const SETTINGS = [
  { sensitive: false, strict: false },
  { sensitive: true, strict: false },
  { sensitive: false, strict: true },
  { sensitive: true, strict: true },
] as const;

for (const { name, express, major } of VERSIONS) {
  for (const settings of SETTINGS) {
    const words = `${settings.sensitive ? "case-sensitive" : "any case"}, ${settings.strict ? "strict" : "any slash"}`;
    // A quarter each: one framework meets them all.
    describeDifferential(
      `${name}, ${words}`,
      (given) =>
        start(express, major, settings, given, (app) =>
          app.use(gatehouse(given.engine, { inventory: "strict" })),
        ),
      { requests: Number(process.env["DIFFERENTIAL_REQUESTS"] ?? 20_000) / 4 },
    );
  }
}

describe("the comparison itself", () => {
  it("finds a guard that matches in another way than its framework", async () => {
    const { express } = versionOf(5);
    const settings = { sensitive: false, strict: false };
    const { disagreements } = await compareRoutes(
      (given) =>
        start(express, 5, settings, given, (app) => {
          const bound = given.engine.bind({ caseSensitive: true, trailingSlash: "significant" });
          const onError = (): void => undefined;
          app.use((req, res, next) => {
            pass(bound, req, res, { responseLimit: 0, onError }, (_req, _res, context) => {
              req.gatehouse = context;
              next();
            });
          });
        }),
      1,
      2000,
    );
    expect(disagreements.some((one) => one.startsWith("`GET%20/admin` ran, and `*%20/*` was decided"))).toBe(
      true,
    );
  });
});

async function start(
  express: Factory,
  major: 4 | 5,
  { sensitive, strict }: { readonly sensitive: boolean; readonly strict: boolean },
  { routes, fields }: DifferentialStart,
  use: (app: Express) => unknown,
): Promise<{ port: number; close(): Promise<void> }> {
  const app = express();
  app.set("case sensitive routing", sensitive);
  app.set("strict routing", strict);
  use(app);
  for (const route of routes) {
    app[methodOf(route)](written(route, major), (req, res) => {
      res.set(fields(route, req.gatehouse?.route ?? null)).send("ran");
    });
  }
  const server = createServer({ requireHostHeader: false }, app);
  const port = await listen(server);
  return { port, close: () => stop(server) };
}

function methodOf({ method }: HandledRoute): "all" | "get" | "post" | "delete" {
  return method === "*" ? "all" : (method.toLowerCase() as "get" | "post" | "delete");
}

/** Express compares static text as it stands in the target. */
function written({ path }: HandledRoute, major: 4 | 5): string {
  return encodeURI(major === 5 ? path.replace(/\*$/u, "*rest") : path);
}
