/** What the application has registered, whenever and wherever it did. */
import type { RegisteredRoute } from "@gatehouse/core";
import type { FastifyInstance, PrintRoutesOptions } from "fastify";
import { patternOf } from "./patterns.js";

interface RouterRoute {
  readonly method: string;
  readonly path: string;
}

/**
 * fastify has no list of its routes, and `onRoute` misses those that were registered before the plugin was loaded: all that are written
 * beside `app.register`. But its printer shows each of them to the function that prints what belongs to it.
 */
export function registeredRoutes(app: FastifyInstance): readonly RegisteredRoute[] {
  const found: RouterRoute[] = [];
  const options = {
    includeMeta: true,
    get buildPrettyMeta() {
      return ({ method, path }: RouterRoute): object => {
        found.push({ method, path });
        return {};
      };
    },
    // The router puts its own here.
    set buildPrettyMeta(_own: unknown) {},
  };
  app.printRoutes(options as unknown as PrintRoutesOptions);
  const methods = new Map<string, Set<string>>();
  for (const { method, path } of found) {
    const known = methods.get(path);
    if (known === undefined) methods.set(path, new Set([method]));
    else known.add(method);
  }
  return Array.from(methods, ([path, known]) => {
    // HEAD is GET's, as it is in the policy.
    if (known.has("GET")) known.delete("HEAD");
    return { methods: [...known], path, pattern: patternOf(path).exact };
  });
}
