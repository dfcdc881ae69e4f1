/** The slow matcher: every route is tried against the whole path, and the best is found by comparing. No tree, no table. */
import type { NormalizedRequest } from "../model/request.js";
import type { PatternPart, ResolvedPolicy, ResolvedRoute } from "../model/resolved.js";
import type { FrameworkMatching } from "./router.js";

const WEIGHT = { static: 0, param: 1, rest: 2 } as const;

export function oracleMatch(
  policy: ResolvedPolicy,
  matching: FrameworkMatching,
  method: string,
  request: NormalizedRequest,
): { route: string; params: Record<string, string> } | "ambiguous" | undefined {
  const decoded = best(policy, matching, method, request.segments);
  if (request.path.includes("%")) {
    const raw = request.path
      .slice(1)
      .split("/")
      .map((text, index) => {
        const segment = request.segments[index] ?? "";
        return encodeURI(segment) === text ? segment : text;
      });
    if (best(policy, matching, method, raw)?.key !== decoded?.key) return "ambiguous";
  }
  if (decoded === undefined) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of decoded.pattern.entries()) {
    if (part.kind === "param") params[part.name] = request.segments[index] ?? "";
    if (part.kind === "rest") params["*"] = request.segments.slice(index).join("/");
  }
  return { route: decoded.key, params };
}

export function oracleAllowed(
  policy: ResolvedPolicy,
  matching: FrameworkMatching,
  segments: readonly string[],
): string[] {
  const methods = new Set<string>();
  for (const route of policy.routes) {
    if (!reaches(policy, matching, route, segments)) continue;
    for (const method of route.methods) methods.add(method);
    if (route.methods.includes("GET")) methods.add("HEAD");
  }
  return [...methods].sort();
}

function best(
  policy: ResolvedPolicy,
  matching: FrameworkMatching,
  method: string,
  segments: readonly string[],
): ResolvedRoute | undefined {
  const candidates = policy.routes.filter(
    (route) => rank(route, method) < 4 && reaches(policy, matching, route, segments),
  );
  candidates.sort((a, b) => comparePatterns(a.pattern, b.pattern) || rank(a, method) - rank(b, method));
  return candidates[0];
}

/** A method of its own, GET for HEAD, any; 4: not at all. */
function rank(route: ResolvedRoute, method: string): number {
  if (route.anyMethod) return route.methods.includes(method) ? 3 : 4;
  if (route.methods.includes(method)) return 1;
  return method === "HEAD" && route.methods.includes("GET") ? 2 : 4;
}

function reaches(
  policy: ResolvedPolicy,
  matching: FrameworkMatching,
  route: ResolvedRoute,
  segments: readonly string[],
): boolean {
  const path = cut(segments, matching);
  const pattern = cutPattern(route.pattern, matching);
  if (!fits(pattern, path, matching, true)) return false;
  return !policy.groups.some(
    (group) =>
      !route.groups.includes(group) &&
      group.parts.length <= path.length &&
      fits(group.parts, path.slice(0, group.parts.length), matching, true) &&
      comparePatterns(group.parts, pattern.slice(0, group.parts.length)) < 0,
  );
}

function fits(
  pattern: readonly PatternPart[],
  path: readonly string[],
  matching: FrameworkMatching,
  whole: boolean,
): boolean {
  const [part, ...parts] = pattern;
  const [segment, ...segments] = path;
  if (part === undefined) return segment === undefined || !whole;
  if (segment === undefined) return false;
  if (part.kind === "rest") return segment !== "";
  const same =
    matching.caseSensitive === false
      ? ascii(segment) === ascii(part.kind === "static" ? part.text : "")
      : part.kind === "static" && part.text === segment;
  return (part.kind === "param" ? segment !== "" : same) && fits(parts, segments, matching, whole);
}

function ascii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** From the left; where kinds are equal so far, the longer one has the more to say. */
function comparePatterns(a: readonly PatternPart[], b: readonly PatternPart[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    const difference = WEIGHT[a[i]?.kind ?? "rest"] - WEIGHT[b[i]?.kind ?? "rest"];
    if (difference !== 0) return difference;
  }
  return 0;
}

function cut(segments: readonly string[], matching: FrameworkMatching): readonly string[] {
  const slash = matching.trailingSlash === "ignored" && segments.length > 1 && segments.at(-1) === "";
  return slash ? segments.slice(0, -1) : segments;
}

function cutPattern(pattern: readonly PatternPart[], matching: FrameworkMatching): readonly PatternPart[] {
  const last = pattern.at(-1);
  const slash =
    matching.trailingSlash === "ignored" && pattern.length > 1 && last?.kind === "static" && last.text === "";
  return slash ? pattern.slice(0, -1) : pattern;
}
