/** What the application has registered, whenever and wherever it did. */
import type { RegisteredRoute } from "@gatehouse/core";
import type { FastifyInstance } from "fastify";
import { patternOf } from "./patterns.js";

/** A route as fastify's router keeps it. */
export interface RouterRoute {
  readonly method: string;
  /** What the router compares. */
  readonly path: string;
  /** `request.routeOptions.url` of requests to it: the same for all paths that one registration leads to. */
  readonly url: string;
}

interface Printed {
  readonly method: string;
  readonly path: string;
  readonly store?: { readonly config?: { readonly url?: string } };
}

/**
 * fastify has no list of its routes, and `onRoute` misses those that were registered before the plugin was loaded: all that are written
 * beside `app.register`. But its printer shows each of them to the function that prints what belongs to it.
 */
export function routesOf(app: FastifyInstance): readonly RouterRoute[] {
  const found: RouterRoute[] = [];
  const options = {
    includeMeta: true,
    get buildPrettyMeta() {
      return ({ method, path, store }: Printed): object => {
        found.push({ method, path, url: store?.config?.url ?? path });
        return {};
      };
    },
    // The router puts its own here.
    set buildPrettyMeta(_own: unknown) {},
  };
  app.printRoutes(options);
  return found;
}

/** For the inventory. */
export function registeredRoutes(app: FastifyInstance): readonly RegisteredRoute[] {
  const methods = new Map<string, Set<string>>();
  for (const { method, path } of routesOf(app)) {
    const known = methods.get(path);
    if (known === undefined) methods.set(path, new Set([method]));
    else known.add(method);
  }
  return Array.from(methods, ([path, known]) => ({
    methods: app.supportedMethods.every((method) => known.has(method)) ? ANY_METHOD : told(known),
    path,
    pattern: patternOf(path).exact,
  }));
}

/** `app.all` is not meant for each method that there is; a policy's `*` means these. */
const ANY_METHOD = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

/** HEAD is GET's, as it is in the policy. */
function told(methods: ReadonlySet<string>): readonly string[] {
  return [...methods].filter((method) => method !== "HEAD" || !methods.has("GET"));
}
