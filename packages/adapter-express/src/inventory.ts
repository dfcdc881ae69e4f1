/** What the application has registered beside what the policy names. */
import {
  inventoryProblems,
  type BoundEngine,
  type RegisteredRoute,
  type RouteInventory,
  type UnnamedRoute,
} from "@gatehouse/core";
import type { Matching } from "./matching.js";
import type { FoundRoute, FoundRoutes } from "./routes.js";

export interface ExpressInventory extends RouteInventory {
  /** Reached by requests that do not pass the guard, though they lie below its path or may: no policy decides those. */
  readonly unguarded: readonly UnnamedRoute[];
}

const ALL = "ALL";
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

export function inventoryOf(bound: BoundEngine, found: FoundRoutes, matching: Matching): ExpressInventory {
  const guarded: FoundRoute[] = [];
  const unguarded: UnnamedRoute[] = [];
  for (const [index, route] of found.routes.entries()) {
    const over = found.guards.filter(({ pattern }) => mayLieBelow(route.pattern, pattern));
    const before = over.filter((guard) => guard.before <= index);
    if (before.length > 0) guarded.push(route);
    if (over.length > 0 && !before.some(({ pattern }) => liesBelow(route.pattern, pattern))) {
      for (const method of route.methods ?? [ALL]) unguarded.push({ method, path: route.path });
    }
  }
  for (const { path, pattern, guards } of found.mounted) {
    const before = found.guards.slice(0, guards);
    if (
      found.guards.some((guard) => mayLieBelow(pattern, guard.pattern)) &&
      !before.some((guard) => liesBelow(pattern, guard.pattern))
    ) {
      unguarded.push({ method: ALL, path: `${path}/*` });
    }
  }
  const { unnamed, unserved, differing } = bound.inventory(
    guarded.map((route) => registered(bound, route)),
    "order",
  );
  const others = guarded.filter(({ matching: own }) => !isSame(own, matching));
  return {
    unnamed,
    unserved: unserved.filter((key) => !found.opaque.some((pattern) => mayLieBelow(pathOf(key), pattern))),
    differing: [
      ...differing,
      ...others.flatMap(({ methods = [ALL], path }) =>
        methods.map((method) => ({ method, path, decidedBy: [], reason: OTHERWISE })),
      ),
    ],
    unguarded,
  };
}

const OTHERWISE =
  "its router has other `caseSensitive` or `strict` options than the application, whose are the policy's";

/** One line for each gap; empty when there is none. */
export function problemsOf(inventory: ExpressInventory): readonly string[] {
  return [
    ...inventory.unguarded.map(
      ({ method, path }) =>
        `\`${method} ${path}\` is reached by requests that do not pass the guard: no policy decides them`,
    ),
    ...inventoryProblems(inventory),
  ];
}

/** A handler of all methods is meant for those that the policy names: it is no gap that it would take others. */
function registered(bound: BoundEngine, { methods, path, pattern }: FoundRoute): RegisteredRoute {
  if (methods !== undefined) return { methods, path, pattern };
  const named = METHODS.filter(
    (method) => bound.inventory([{ methods: [method], path, pattern }], "order").unnamed.length === 0,
  );
  if (pattern === undefined) return { methods: [ALL], path, pattern };
  return { methods: named.length === 0 ? [ALL] : named, path, pattern };
}

/** Some of the paths that fit the pattern lie below the prefix. */
function mayLieBelow(pattern: string | undefined, prefix: string | undefined): boolean {
  return isBelow(pattern, prefix, (own) => own.startsWith(":"));
}

/** All of them do: where `/:v/x` is asked for, `/v1` is above but one of them. */
function liesBelow(pattern: string | undefined, prefix: string | undefined): boolean {
  return isBelow(pattern, prefix, () => false);
}

/** Segment by segment; an unknown prefix may be above everything. */
function isBelow(
  pattern: string | undefined,
  prefix: string | undefined,
  fits: (own: string) => boolean,
): boolean {
  if (prefix === undefined || prefix === "" || pattern === undefined) return true;
  const parts = pattern.split("/");
  // A mount path may end with a slash, and means the same.
  return prefix
    .replace(/\/$/u, "")
    .split("/")
    .every((part, index) => {
      const own = parts[index];
      if (own === undefined) return false;
      return part.startsWith(":") || fits(own) || part.toLowerCase() === own.toLowerCase();
    });
}

function pathOf(key: string): string {
  return key.slice(key.indexOf(" ") + 1);
}

function isSame(a: Matching, b: Matching): boolean {
  return a.caseSensitive === b.caseSensitive && a.strict === b.strict;
}
