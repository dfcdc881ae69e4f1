/** Express as the differential test meets it: a handler for each route, and the guard in one way or another. */
import { createServer } from "node:http";
import { gatehouse } from "@gatehouse/express";
import {
  describeDifferential,
  REQUESTS,
  type DifferentialStart,
  type HandledRoute,
} from "../servers/differential.js";
import { listen, stop } from "../node-http/target.js";
import { versionOf, type Express, type Factory } from "./versions.js";

const SETTINGS = [
  { sensitive: false, strict: false },
  { sensitive: true, strict: false },
  { sensitive: false, strict: true },
  { sensitive: true, strict: true },
] as const;

/** Case and trailing slash both ways, with a quarter of the requests each. */
export function describeRoutes(major: 4 | 5): void {
  const { name, express } = versionOf(major);
  for (const settings of SETTINGS) {
    const words = `${settings.sensitive ? "case-sensitive" : "any case"}, ${settings.strict ? "strict" : "any slash"}`;
    describeDifferential(
      `${name}, ${words}`,
      (given) =>
        start(express, major, settings, given, (app) =>
          app.use(gatehouse(given.engine, { inventory: "strict" })),
        ),
      { requests: REQUESTS / SETTINGS.length },
    );
  }
}

export async function start(
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
