/** Which of the policy's routes may lead to which of express's: asked before a handler runs. */
import type { BoundEngine } from "@gatehouse/core";
import { rootOf, type App, type Layer, type Route } from "./express.js";
import { routesOf, type FoundRoute } from "./routes.js";

type Keys = ReadonlySet<string>;

export class Reach {
  private found = new WeakMap<Route, readonly FoundRoute[]>();
  private known = new WeakMap<Route, Map<string, Keys | undefined>>();
  private revision: string;
  private keys: readonly string[];

  constructor(
    private readonly bound: BoundEngine,
    private readonly app: App,
    private readonly isGuard: (layer: Layer) => boolean,
  ) {
    // Of a large policy it takes a while, for which no request should wait.
    this.revision = bound.revision;
    this.keys = bound.inventory([]).unserved;
  }

  /** True where nothing can be said, too: of a regular expression, of a handler of all methods that takes parameters. */
  allows(route: Route, method: string, decided: string, app: App): boolean {
    const { revision } = this.bound;
    if (revision !== this.revision) this.learn(revision);
    let methods = this.known.get(route);
    if (methods === undefined) this.known.set(route, (methods = new Map<string, Keys | undefined>()));
    if (!methods.has(method)) methods.set(method, this.keysOf(route, method, app));
    return methods.get(method)?.has(decided) !== false;
  }

  private learn(revision: string): void {
    this.revision = revision;
    this.keys = this.bound.inventory([]).unserved;
    this.known = new WeakMap();
  }

  private keysOf(route: Route, method: string, app: App): Keys | undefined {
    const keys = new Set<string>();
    const places = this.placesOf(route, app);
    if (places.length === 0) return undefined;
    for (const { path, pattern, methods } of places) {
      if (pattern === undefined) return undefined;
      // `app.all("/orders/:id", load)` is middleware more often than not, and hands `/orders/new` on.
      if (methods === undefined && !hasOwn(route, method) && /\/[:*]/u.test(pattern)) return undefined;
      const { unserved, differing } = this.bound.inventory([{ methods: [method], path, pattern }], "order");
      if (differing.some(({ decidedBy }) => decidedBy.length === 0)) return undefined;
      for (const key of this.keys) if (!unserved.includes(key)) keys.add(key);
    }
    return keys;
  }

  /** Routes may be registered at any time, and an application below shows its own only here. */
  private placesOf(route: Route, app: App): readonly FoundRoute[] {
    const before = this.found.get(route);
    if (before !== undefined) return before;
    const places = this.isPlaced(app) ? routesOf(app, this.isGuard).routes : [];
    const own = places.filter((one) => one.route === route);
    this.found.set(route, own);
    return own;
  }

  /** An application that a router holds does not know where it is mounted. */
  private isPlaced(app: App): boolean {
    return rootOf(app) === rootOf(this.app);
  }
}

/** `app.route("/orders/:id").all(load).get(read)`: beside what hands on stands a handler of this method. */
function hasOwn({ methods }: Route, method: string): boolean {
  if (methods["_all"] !== true) return false;
  return methods[method.toLowerCase()] === true || (method === "HEAD" && methods["get"] === true);
}
