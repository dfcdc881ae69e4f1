/** Routes → matcher, for one way in which a framework matches. */
import type { Report } from "../errors/diagnostics.js";
import type { PatternPart, ResolvedPolicy, ResolvedRoute } from "../model/resolved.js";
import { compileAllParams } from "./params.js";
import { readingOf } from "./reading.js";
import type { Reading } from "./reading.js";
import { reportHidden, reportOutside, reportRival } from "./report-routes.js";
import type { FrameworkMatching, Router } from "./router.js";
import { TrieRouter } from "./trie-router.js";
import type { Tables } from "./trie-router.js";
import { addMethod, childFor, namedRoute, newLeaf, newNode, NONE, staticChildren } from "./trie.js";
import type { Leaf, TrieNode } from "./trie.js";

/**
 * `matching.staticText` needs no case of its own: a target whose raw and decoded readings differ is ambiguous everywhere, so the
 * policy can be moved between frameworks.
 * @param report receives `indistinguishable-routes` and `unreachable-route`
 */
export function compileRouter(policy: ResolvedPolicy, matching: FrameworkMatching, report: Report): Router {
  const plain = Object.keys(matching).length === 0;
  const known = plain ? plainRouters.get(policy) : undefined;
  if (known !== undefined) return known;
  const before = report.diagnostics.length;
  const router = compileNew(policy, matching, report);
  if (plain && report.diagnostics.length === before) plainRouters.set(policy, router);
  return router;
}

/** The router of no framework in particular: checks make it first, and it is what most tools ask. Only of a policy that has nothing to report. */
const plainRouters = new WeakMap<ResolvedPolicy, Router>();

function compileNew(policy: ResolvedPolicy, matching: FrameworkMatching, report: Report): Router {
  const reading = readingOf(matching);
  const sealed = matching.wildcard === "itself";
  const tables: Tables = { root: newNode(), statics: new Map(), sealed };
  for (const group of policy.groups) nodeFor(tables.root, group.parts, reading).closed = true;
  for (const [index, route] of policy.routes.entries())
    addRoute(tables, policy, index, route, reading, report);
  if (sealed) sealWildcards(tables.root);
  reportHidden(policy, tables.root, report);
  if (matching.mountPrefix !== undefined) reportOutside(policy, matching.mountPrefix, reading, report);
  return new TrieRouter(tables, compileAllParams(policy.routes), reading);
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

/** A path that such a framework leads to the handlers of `*` must not be decided by what stands further up. */
function sealWildcards(root: TrieNode): void {
  const nodes = [root];
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    node.sealed = node.rest !== undefined;
    nodes.push(...staticChildren(node));
    if (node.param !== undefined) nodes.push(node.param);
  }
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
  for (const rival of claim(leaf, route, index)) reportRival(route, policy.routes[rival], report);
  const text = staticText(route.pattern, reading);
  if (text !== undefined) tables.statics.set(text, leaf);
}

const NO_RIVALS: ReadonlySet<number> = new Set();

/** @returns routes that have one of its methods at this place already */
function claim(leaf: Leaf, route: ResolvedRoute, index: number): ReadonlySet<number> {
  if (route.anyMethod) {
    const rivals = leaf.any === NONE ? NO_RIVALS : new Set([leaf.any]);
    if (leaf.any === NONE) leaf.any = index;
    leaf.anyMethods = new Set(route.methods);
    return rivals;
  }
  let rivals: Set<number> | undefined;
  for (const method of route.methods) {
    const rival = namedRoute(leaf, method);
    if (rival === NONE) addMethod(leaf, method, index);
    else (rivals ??= new Set()).add(rival);
  }
  return rivals ?? NO_RIVALS;
}

function isPlain(text: string): boolean {
  return /^[\w.~-]*$/u.test(text) || encodeURI(text) === text;
}

/** The path of a pattern without parameters, where raw and decoded text are the same; else undefined. */
function staticText(pattern: readonly PatternPart[], reading: Reading): string | undefined {
  let path = "";
  for (const part of significant(pattern, reading)) {
    if (part.kind !== "static" || !isPlain(part.text)) return undefined;
    path += `/${reading.fold(part.text)}`;
  }
  return path;
}
