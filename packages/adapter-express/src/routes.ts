/** The routes that an application has, read off its routers' stacks. */
import { METHODS } from "node:http";
import {
  isExpress4,
  nestedRouter,
  routerOf,
  type App,
  type Layer,
  type Route,
  type Router,
} from "./express.js";
import { matchingOf, type Matching } from "./matching.js";
import { joined, patternsOf } from "./paths.js";

export interface FoundRoute {
  readonly route: Route;
  /** Upper case; undefined where it answers to all. */
  readonly methods: readonly string[] | undefined;
  /** As the application wrote it, with what it is mounted under. */
  readonly path: string;
  /** In the policy's notation; undefined where it cannot be said. */
  readonly pattern: string | undefined;
  /** How its router matches. */
  readonly matching: Matching;
}

export interface FoundRoutes {
  readonly routes: readonly FoundRoute[];
  /** Patterns of mount paths below which something answers that shows no routes: another application, static files. */
  readonly opaque: readonly string[];
  /** Applications and static files at their mount paths, and how many of `guards` stand in front of them. */
  readonly mounted: readonly {
    readonly path: string;
    readonly pattern: string | undefined;
    readonly guards: number;
  }[];
  /** Patterns of the paths under which the guard stands, and how many routes came before it. */
  readonly guards: readonly { readonly pattern: string | undefined; readonly before: number }[];
}

interface Place {
  readonly path: string;
  readonly pattern: string | undefined;
}

interface Walk {
  readonly routes: FoundRoute[];
  readonly opaque: string[];
  readonly mounted: { path: string; pattern: string | undefined; guards: number }[];
  readonly guards: { pattern: string | undefined; before: number }[];
  readonly express4: boolean;
  readonly isGuard: (layer: Layer) => boolean;
}

/** @param isGuard tells the layer in which the guard stands */
export function routesOf(app: App, isGuard: (layer: Layer) => boolean): FoundRoutes {
  const walk: Walk = { routes: [], opaque: [], mounted: [], guards: [], express4: isExpress4(app), isGuard };
  for (const place of placesOf(app)) walkRouter(routerOf(app), place, walk);
  return walk;
}

/** Where an application is mounted, from the root on. */
function placesOf({ parent, mountpath }: App): readonly Place[] {
  if (parent === undefined) return [{ path: "", pattern: "" }];
  const express4 = isExpress4(parent);
  return placesOf(parent).flatMap((place) => below(place, flat(mountpath), express4));
}

function walkRouter(router: Router, place: Place, walk: Walk): void {
  for (const layer of router.stack) {
    if (walk.isGuard(layer)) {
      for (const at of below(place, mountPaths(layer), walk.express4)) {
        walk.guards.push({ pattern: at.pattern, before: walk.routes.length });
      }
    } else if (layer.route !== undefined) addRoute(layer.route, router, place, walk);
    else walkMounted(layer, place, walk);
  }
}

function addRoute(route: Route, router: Router, place: Place, walk: Walk): void {
  const methods = Object.keys(route.methods).filter((name) => route.methods[name] === true);
  for (const at of below(place, flat(route.path), walk.express4)) {
    walk.routes.push({
      route,
      methods: isAll(methods) ? undefined : methods.map((method) => method.toUpperCase()),
      path: at.path === "" ? "/" : at.path,
      pattern: at.pattern === "" ? "/" : at.pattern,
      matching: matchingOf(router),
    });
  }
}

/** `app.all` registers each method that Node knows, `route.all` one word for them. */
function isAll(methods: readonly string[]): boolean {
  return methods.includes("_all") || METHODS.every((method) => methods.includes(method.toLowerCase()));
}

function walkMounted(layer: Layer, place: Place, walk: Walk): void {
  const nested = nestedRouter(layer);
  // Four parameters make an error handler.
  if (nested === undefined && layer.handle.length > 3) return;
  for (const at of below(place, mountPaths(layer), walk.express4)) {
    if (nested === undefined && ANSWERING.has(layer.name))
      walk.mounted.push({ ...at, guards: walk.guards.length });
    if (nested !== undefined) walkRouter(nested, at, walk);
    else if (at.pattern !== undefined && (at.pattern !== "" || layer.name === "mounted_app")) {
      // What stands at the root is taken for middleware: it would hide every gap.
      walk.opaque.push(at.pattern);
    }
  }
}

/** As express names what answers and is no middleware. */
const ANSWERING: ReadonlySet<string> = new Set(["mounted_app", "serveStatic"]);

function below(place: Place, paths: readonly unknown[], express4: boolean): readonly Place[] {
  return paths.flatMap((path): Place[] => {
    const written = place.path + (path === "/" ? "" : String(path));
    const patterns = place.pattern === undefined ? undefined : patternsOf(path, express4);
    if (patterns === undefined) return [{ path: written, pattern: undefined }];
    return patterns.map((pattern) => {
      const whole = joined(place.pattern ?? "", pattern);
      return { path: written, pattern: whole === "/" ? "" : whole };
    });
  });
}

function flat(path: unknown): readonly unknown[] {
  return Array.isArray(path) ? (path.flat(Infinity) as unknown[]) : [path];
}

/** Before 5.3 express 5 keeps no text of it; express 4 keeps an expression that gives a plain path back. */
function mountPaths({ rawPath, regexp }: Layer): readonly unknown[] {
  if (rawPath !== undefined) return flat(rawPath);
  if (regexp === undefined) return [MANY];
  if (regexp.fast_slash === true) return ["/"];
  const whole = WHOLE.exec(regexp.source.replaceAll(PARAMETER, "\\/:p"));
  return whole?.[1] === undefined ? [regexp] : [whole[1].replace(/\\(.)/gu, "$1")];
}

/** What path-to-regexp 0.1 makes of `/:name`, and of a path that ends nothing. */
const PARAMETER = "(?:\\/([^/]+?))";
const WHOLE = /^\^((?:\\\/(?:[^\\/()[\]?*+|]|\\[.-])+)+)\\\/\?\(\?=\\\/\|\$\)$/u;

const MANY = Symbol("an unknown mount path");
