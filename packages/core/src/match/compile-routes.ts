/** Routes → matcher, for one way in which a framework matches. */
import type { Report } from "../errors/diagnostics.js";
import type { NormalizedRequest } from "../model/request.js";
import type { PatternPart, ResolvedPolicy, ResolvedRoute } from "../model/resolved.js";
import { compileParams } from "./params.js";
import type { ParamsReader } from "./params.js";
import { foldAscii, rawReading } from "./reading.js";
import type { FrameworkMatching, RouteMatch, Router } from "./router.js";
import {
  childFor,
  collectMethods,
  findRoute,
  namedRoute,
  newLeaf,
  newNode,
  NONE,
  routeAt,
  staticChildren,
} from "./trie.js";
import type { Leaf, TrieNode } from "./trie.js";

interface Tables {
  readonly root: TrieNode;
  /** Leaf of each path without parameters, by its text: the common case is one lookup. */
  readonly statics: Map<string, Leaf>;
}

interface Reading {
  readonly fold: (text: string) => string;
  readonly ignoresSlash: boolean;
}

/**
 * `matching.staticText` needs no case of its own: a target whose raw and decoded readings differ is ambiguous everywhere, so the
 * policy can be moved between frameworks.
 * @param report receives `indistinguishable-routes` and `unreachable-route`
 */
export function compileRouter(policy: ResolvedPolicy, matching: FrameworkMatching, report: Report): Router {
  const reading: Reading = {
    fold: matching.caseSensitive === false ? foldAscii : (text) => text,
    ignoresSlash: matching.trailingSlash === "ignored",
  };
  const tables: Tables = { root: newNode(), statics: new Map() };
  for (const group of policy.groups) nodeFor(tables.root, group.parts, reading).closed = true;
  for (const [index, route] of policy.routes.entries())
    addRoute(tables, policy, index, route, reading, report);
  reportHidden(policy, tables.root, report);
  if (matching.mountPrefix !== undefined) reportOutside(policy, matching.mountPrefix, reading, report);
  return new TrieRouter(
    tables,
    policy.routes.map((route) => compileParams(route.pattern)),
    reading,
  );
}

/** The parts to be compared: without the slash at the end where it makes no difference. */
function significant(parts: readonly PatternPart[], reading: Reading): readonly PatternPart[] {
  const last = parts.at(-1);
  const endsInSlash = last?.kind === "static" && last.text === "" && parts.length > 1;
  return endsInSlash && reading.ignoresSlash ? parts.slice(0, -1) : parts;
}

/** The node at which a pattern without `*` ends. */
function nodeFor(root: TrieNode, parts: readonly PatternPart[], reading: Reading): TrieNode {
  let node = root;
  for (const part of significant(parts, reading)) {
    if (part.kind === "rest") break;
    if (part.kind === "param") node = node.param ??= newNode();
    else node = childFor(node, reading.fold(part.text));
  }
  return node;
}

function addRoute(
  tables: Tables,
  policy: ResolvedPolicy,
  index: number,
  route: ResolvedRoute,
  reading: Reading,
  report: Report,
): void {
  const node = nodeFor(tables.root, route.pattern, reading);
  const leaf = route.pattern.at(-1)?.kind === "rest" ? (node.rest ??= newLeaf()) : (node.leaf ??= newLeaf());
  const rivals = new Set<number>();
  if (route.anyMethod) {
    if (leaf.any === NONE) leaf.any = index;
    else rivals.add(leaf.any);
    leaf.anyMethods = new Set(route.methods);
  } else {
    for (const method of route.methods) {
      const rival = namedRoute(leaf, method);
      if (rival !== NONE) rivals.add(rival);
      else {
        leaf.methods.push(method);
        leaf.routes.push(index);
      }
    }
  }
  for (const rival of rivals) reportRival(route, policy.routes[rival], report);
  const text = staticText(route.pattern, reading);
  if (text !== undefined) tables.statics.set(text, leaf);
}

function reportRival(route: ResolvedRoute, rival: ResolvedRoute | undefined, report: Report): void {
  report.error(
    "indistinguishable-routes",
    route.pointer,
    `no request can tell \`${route.key}\` and \`${rival?.key ?? ""}\` apart`,
    "keep one of them, or let their methods or the static text of their paths differ",
  );
}

/** A route under `*` that named ones leave nothing of would be a rule that never holds. */
function reportHidden(policy: ResolvedPolicy, root: TrieNode, report: Report): void {
  const nodes = [root];
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    reportHiddenAt(policy, node.leaf, report);
    reportHiddenAt(policy, node.rest, report);
    nodes.push(...staticChildren(node));
    if (node.param !== undefined) nodes.push(node.param);
  }
}

function reportHiddenAt(policy: ResolvedPolicy, leaf: Leaf | undefined, report: Report): void {
  if (leaf === undefined || leaf.any === NONE) return;
  const route = policy.routes[leaf.any];
  if (route === undefined || route.methods.some((method) => routeAt(leaf, method) === leaf.any)) return;
  report.error(
    "unreachable-route",
    route.pointer,
    `no request reaches \`${route.key}\`: routes that name their method cover each of its methods`,
    "remove it, or one of the routes with a named method",
  );
}

/** Behind a mount prefix a framework hands over nothing else; such a route looks protected and is not served here. */
function reportOutside(policy: ResolvedPolicy, prefix: string, reading: Reading, report: Report): void {
  const mount = prefix.split("/").filter((segment) => segment !== "");
  for (const route of policy.routes) {
    if (mount.every((segment, index) => couldMatch(route.pattern, index, segment, reading))) continue;
    report.warn(
      "route-outside-mount",
      route.pointer,
      `\`${route.key}\` lies outside of \`${prefix}\`, where this server is mounted`,
      "policies name the full path; write the prefix too, or leave the route out",
    );
  }
}

function couldMatch(
  pattern: readonly PatternPart[],
  index: number,
  segment: string,
  reading: Reading,
): boolean {
  const part = pattern[index];
  if (part === undefined) return pattern.at(-1)?.kind === "rest";
  return part.kind !== "static" || reading.fold(part.text) === reading.fold(segment);
}

/** The path of a pattern without parameters, where raw and decoded text are the same; else undefined. */
function staticText(pattern: readonly PatternPart[], reading: Reading): string | undefined {
  let path = "";
  for (const part of significant(pattern, reading)) {
    if (part.kind !== "static" || encodeURI(part.text) !== part.text) return undefined;
    path += `/${reading.fold(part.text)}`;
  }
  return path;
}

class TrieRouter implements Router {
  private readonly fixed: readonly (RouteMatch | undefined)[];

  constructor(
    private readonly tables: Tables,
    private readonly params: readonly ParamsReader[],
    private readonly reading: Reading,
  ) {
    // A route without parameters always answers with the same match.
    this.fixed = params.map(({ fixed }, route) =>
      fixed === undefined ? undefined : Object.freeze({ route, params: fixed }),
    );
  }

  match(method: string, request: NormalizedRequest): RouteMatch | "ambiguous" | undefined {
    const leaf = this.tables.statics.get(this.comparable(request.path));
    if (leaf !== undefined) {
      const route = routeAt(leaf, method);
      if (route >= 0) return this.matched(route, request.segments);
    }
    const { segments } = request;
    const length = this.lengthOf(segments);
    if (length === 0) return undefined;
    const route = this.find(segments, length, method);
    if (
      request.path.includes("%") &&
      this.find(rawReading(request.path, segments), length, method) !== route
    ) {
      return "ambiguous";
    }
    return route < 0 ? undefined : this.matched(route, segments);
  }

  allowed(request: NormalizedRequest): readonly string[] {
    const { segments } = request;
    const length = this.lengthOf(segments);
    if (length === 0) return [];
    const methods = new Set<string>();
    collectMethods(this.tables.root, this.folded(segments), 0, length, methods);
    if (methods.has("GET")) methods.add("HEAD");
    return [...methods].sort();
  }

  /** Below 0: none, in whatever way. */
  private find(segments: readonly string[], length: number, method: string): number {
    const found = findRoute(this.tables.root, this.folded(segments), length, method);
    return found < 0 ? NONE : found;
  }

  private folded(segments: readonly string[]): readonly string[] {
    return this.reading.fold === foldAscii ? segments.map(foldAscii) : segments;
  }

  private comparable(path: string): string {
    const text =
      this.reading.ignoresSlash && path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
    return this.reading.fold(text);
  }

  private lengthOf(segments: readonly string[]): number {
    const { length } = segments;
    return this.reading.ignoresSlash && length > 1 && segments[length - 1] === "" ? length - 1 : length;
  }

  private matched(route: number, segments: readonly string[]): RouteMatch {
    const fixed = this.fixed[route];
    if (fixed !== undefined) return fixed;
    return { route, params: this.params[route]?.read(segments) ?? {} };
  }
}
