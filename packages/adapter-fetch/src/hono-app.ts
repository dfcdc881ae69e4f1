/** What is asked of a hono application: how it reads paths, and which routes it has. */
import type {
  BoundEngine,
  FrameworkMatching,
  RegisteredRoute,
  RouteInventory,
  UnnamedRoute,
} from "@gatehouse/core";

interface HonoRoute {
  readonly method: string;
  readonly path: string;
  readonly handler: unknown;
}

/** As much of hono's `Hono` as is read. */
export interface HonoApp {
  readonly routes: readonly HonoRoute[];
  getPath(request: Request): string;
}

/**
 * How the application reads a path, told by what it does with one.
 * @throws TypeError where it routes by something else than the path, or by another reading than `matching` says
 */
export function matchingOf(
  app: HonoApp,
  { trailingSlash }: FrameworkMatching,
  asked: boolean,
): "significant" | "ignored" {
  const path = app.getPath(new Request("http://probe.invalid/Probe/a%62/?q=1"));
  const found = path === "/Probe/ab/" ? "significant" : path === "/Probe/ab" ? "ignored" : undefined;
  if (found === undefined) {
    throw new TypeError(
      "the application has a `getPath` of its own: it routes by something that no policy sees",
    );
  }
  if (asked && trailingSlash !== found) {
    throw new TypeError(
      `\`matching.trailingSlash\` is \`${String(trailingSlash)}\`, and the application's is \`${found}\``,
    );
  }
  return found;
}

/**
 * True where hono has read this path as the policy did: it decodes what `decodeURI` does, and may leave out a slash at the end.
 * @param path hono's own
 */
export function readsAlike(path: string, pathname: string, trailingSlash: string | undefined): boolean {
  const decoded = decoding(pathname);
  if (trailingSlash !== "ignored" || decoded === "/") return path === decoded;
  return path === (decoded.endsWith("/") ? decoded.slice(0, -1) : decoded);
}

/** An encoded `%` stays encoded: hono decodes it with the parameter. */
function decoding(pathname: string): string {
  if (!pathname.includes("%")) return pathname;
  try {
    return decodeURI(pathname.replaceAll("%25", "%2525"));
  } catch {
    return pathname;
  }
}

const ANY = "ALL";
const METHODS = ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"] as const;

interface Found extends RegisteredRoute {
  readonly any: boolean;
  readonly place: number;
}

/**
 * The routes that an application has registered, as the core compares them. What `use` and `mount` registered is not among them: from
 * outside they look alike, and neither names a method.
 */
export function honoRoutes(app: HonoApp): RegisteredRoute[] {
  return foundIn(app).map(({ methods, path, pattern }) => ({ methods, path, pattern }));
}

function foundIn(app: HonoApp): Found[] {
  const found: Found[] = [];
  const seen = new Set<string>();
  for (const [place, { method, path, handler }] of app.routes.entries()) {
    // Handlers of one route are listed one by one.
    const key = `${method} ${path}`;
    if ((method === ANY && isMiddleware(handler)) || seen.has(key)) continue;
    seen.add(key);
    for (const written of withoutOptional(path)) {
      const methods = method === ANY ? METHODS : [method];
      found.push({ methods, path: written, pattern: patternOf(written), any: method === ANY, place });
    }
  }
  return found;
}

/** As hono's own `inspectRoutes` tells them apart: by whether there is room for `next`. */
function isMiddleware(handler: unknown): boolean {
  if (typeof handler !== "function") return false;
  const inner: unknown = (handler as { __COMPOSED_HANDLER?: unknown }).__COMPOSED_HANDLER;
  return inner === undefined ? handler.length > 1 : isMiddleware(inner);
}

/** `/a/:b?` stands for `/a` and `/a/:b`. */
function withoutOptional(path: string): string[] {
  if (!path.endsWith("?") || !path.includes(":")) return [path];
  const cut = path.lastIndexOf("/");
  return [...withoutOptional(path.slice(0, cut) || "/"), path.slice(0, -1)];
}

const PARAMETER = /^:([A-Za-z_]\w*)(?:\{(.+)\})?$/;
/** Of these no part can match a slash: the parameter takes one segment, or less of what fits there. */
const WITHIN_SEGMENT = /^(?:\[[\w\s-]+\]|\\[dw]|[\w|()?+*-]|\{\d+(?:,\d*)?\})+$/;

function patternOf(path: string): string | undefined {
  const parts: string[] = [];
  const segments = path.split("/");
  for (const [index, segment] of segments.entries()) {
    if (segment === "*" && index === segments.length - 1) parts.push(segment);
    else if (!/[*:{}?]/.test(segment)) parts.push(segment);
    else {
      const parameter = PARAMETER.exec(segment);
      if (parameter === null) return undefined;
      const [, name = "", expression] = parameter;
      if (expression !== undefined && !WITHIN_SEGMENT.test(expression)) return undefined;
      parts.push(`:${name}`);
    }
  }
  return parts.join("/");
}

export interface HonoInventory extends RouteInventory {
  /** Registered where the guard's middleware does not come first: requests to them never reach the policy. */
  readonly unguarded: readonly UnnamedRoute[];
}

/**
 * The application's routes beside the policy's.
 * @param engine bound to how the application matches: `engine.bind({ trailingSlash: "ignored" })` for `strict: false`
 */
export function inventory(engine: BoundEngine, app: HonoApp, mountPrefix = ""): HonoInventory {
  const found = foundIn(app).map((route) => prefixed(route, mountPrefix));
  const taken = engine.inventory(found, "order");
  // hono's `/files/*` serves `/files` too; it counts where the policy has a route there.
  const bare = found
    .flatMap((route) => bareOf(route))
    .filter(({ methods, pattern = "" }) =>
      methods.some((method) => taken.unserved.some((key) => names(key, method, pattern))),
    );
  const all = bare.length === 0 ? taken : engine.inventory([...found, ...bare], "order");
  return {
    ...all,
    unnamed: all.unnamed.filter((one) => !isRestOfAny(one, found, all)),
    unguarded: unguardedIn(app),
  };
}

function prefixed(route: Found, prefix: string): Found {
  if (prefix === "") return route;
  const put = (path: string): string => (path === "/" ? prefix : prefix + path);
  return {
    ...route,
    path: put(route.path),
    pattern: route.pattern === undefined ? undefined : put(route.pattern),
  };
}

function bareOf(route: Found): Found[] {
  const { pattern } = route;
  if (pattern === undefined || !pattern.endsWith("/*") || pattern === "/*") return [];
  return [{ ...route, pattern: pattern.slice(0, -2) }];
}

/** `GET|POST /a` and `* /a` are keys too. */
function names(key: string, method: string, pattern: string): boolean {
  const [methods = "", path = ""] = key.split(" ");
  return sameShape(path, pattern) && (methods === "*" || methods.split("|").includes(method));
}

function sameShape(a: string, b: string): boolean {
  const bare = (path: string): string => path.replaceAll(/:[^/]+/g, ":");
  return bare(a) === bare(b);
}

/** `app.all` takes every method; that the policy names only some of them is what a policy is for. */
function isRestOfAny(one: UnnamedRoute, found: readonly Found[], { unnamed }: RouteInventory): boolean {
  const route = found.find(
    ({ any, path, methods }) => any && path === one.path && methods.includes(one.method),
  );
  if (route === undefined) return false;
  const refused = unnamed.filter(({ path }) => path === one.path);
  return refused.length < route.methods.length;
}

/** Marks the middleware, so that the list of routes tells where it stands. */
export const GUARD = Symbol("gatehouse.guard");

function isGuard(handler: unknown): boolean {
  if (typeof handler !== "function") return false;
  const marked = handler as { [GUARD]?: true; __COMPOSED_HANDLER?: unknown };
  return marked[GUARD] === true || isGuard(marked.__COMPOSED_HANDLER);
}

function unguardedIn(app: HonoApp): UnnamedRoute[] {
  const guards = [...app.routes.entries()].filter(([, { handler }]) => isGuard(handler));
  // The guard stands around the application, or the application is not guarded here at all.
  if (guards.length === 0) return [];
  const covered = ({ path, place }: Found): boolean =>
    guards.some(([at, guard]) => at < place && covers(guard.path, path));
  return foundIn(app)
    .filter((route) => !covered(route))
    .flatMap(({ methods, path, any }) =>
      any ? [{ method: ANY, path }] : methods.map((method) => ({ method, path })),
    );
}

function covers(guard: string, path: string): boolean {
  if (guard === "*" || guard === "/*") return true;
  if (!guard.endsWith("/*")) return guard === path;
  return path === guard.slice(0, -2) || path.startsWith(guard.slice(0, -1));
}

/** One line for each. */
export function unguardedProblems({ unguarded }: HonoInventory): readonly string[] {
  return unguarded.map(
    ({ method, path }) =>
      `\`${method} ${path}\` is registered where the guard does not stand before it: it is not guarded`,
  );
}
