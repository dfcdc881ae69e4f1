/** Routes that hold nothing, or that only the order of the document could tell apart. */
import type { Report } from "../errors/diagnostics.js";
import type { PatternPart, ResolvedPolicy, ResolvedRoute } from "../model/resolved.js";
import type { Reading } from "./reading.js";
import { NONE, routeAt, staticChildren } from "./trie.js";
import type { Leaf, TrieNode } from "./trie.js";

export function reportRival(route: ResolvedRoute, rival: ResolvedRoute | undefined, report: Report): void {
  report.error(
    "indistinguishable-routes",
    route.pointer,
    `no request can tell \`${route.key}\` and \`${rival?.key ?? ""}\` apart`,
    "keep one of them, or let their methods or the static text of their paths differ",
  );
}

/** A route under `*` that named ones leave nothing of would be a rule that never holds. */
export function reportHidden(policy: ResolvedPolicy, root: TrieNode, report: Report): void {
  if (!policy.routes.some(({ anyMethod }) => anyMethod)) return;
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
export function reportOutside(
  policy: ResolvedPolicy,
  prefix: string,
  reading: Reading,
  report: Report,
): void {
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
