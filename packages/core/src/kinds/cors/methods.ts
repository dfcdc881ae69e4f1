/** Which methods a preflight may name: a browser remembers all of them, so none may lead to a route with other rules. */
import type { PatternPart, ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";

/** Routes under another `cors` than this one; none in the usual policy, where all share the document's. */
export function routesApart(policy: ResolvedPolicy): (route: ResolvedRoute) => readonly ResolvedRoute[] {
  const byPointer = new Map<string | undefined, readonly ResolvedRoute[]>();
  return ({ cors }) => {
    const known = byPointer.get(cors?.pointer);
    if (known !== undefined) return known;
    const apart = policy.routes.filter((other) => other.cors?.pointer !== cors?.pointer);
    byPointer.set(cors?.pointer, apart);
    return apart;
  };
}

/**
 * Methods that at some path of this route belong to a route with another `cors`. Listing one of them would let a page send it without
 * a preflight of its own.
 */
export function foreignMethods(route: ResolvedRoute, others: readonly ResolvedRoute[]): ReadonlySet<string> {
  const foreign = new Set<string>();
  for (const other of others) {
    if (!overlap(route.pattern, other.pattern)) continue;
    for (const method of other.methods) {
      foreign.add(method);
      if (method === "GET") foreign.add("HEAD");
    }
  }
  return foreign;
}

/** True when some path fits both patterns, under every way of matching. */
function overlap(a: readonly PatternPart[], b: readonly PatternPart[]): boolean {
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    const left = a[i];
    const right = b[i];
    if (left?.kind === "rest" || right?.kind === "rest") return true;
    if (left === undefined || right === undefined) return endsInSlash(left ?? right);
    if (
      left.kind === "static" &&
      right.kind === "static" &&
      left.text.toLowerCase() !== right.text.toLowerCase()
    ) {
      return false;
    }
  }
  return true;
}

/** Where the slash at the end makes no difference, `/a` and `/a/` are one path. */
function endsInSlash(part: PatternPart | undefined): boolean {
  return part?.kind === "static" && part.text === "";
}
