/**
 * The routes as a tree of segments. It is walked in the order of specificity (static, `:param`, `*`, from the left), so the first
 * route that fits is the most specific one. Each node is met once at most, whatever the path: no input makes the walk longer than
 * the policy.
 */

/** Routes whose pattern ends at one place. */
export interface Leaf {
  /** Route by method. */
  readonly named: Map<string, number>;
  /** Route written with `*` for its method; -1: none. */
  any: number;
  anyMethods: ReadonlySet<string>;
}

export interface TrieNode {
  statics: Map<string, TrieNode> | undefined;
  param: TrieNode | undefined;
  /** Patterns that end here. */
  leaf: Leaf | undefined;
  /** Patterns that end here with `*`. */
  rest: Leaf | undefined;
  /** A group's prefix ends here: what is less specific never reaches into it (POLICY: a group closes its prefix). */
  closed: boolean;
}

export function newNode(): TrieNode {
  return { statics: undefined, param: undefined, leaf: undefined, rest: undefined, closed: false };
}

export function newLeaf(): Leaf {
  return { named: new Map(), any: NONE, anyMethods: new Set() };
}

/** No route yet. */
export const NONE = -1;
/** No route, and nothing less specific may be tried. */
const CLOSED = -2;

/** HEAD has GET's route unless it has one of its own; a named method beats `*`. */
export function routeAt(leaf: Leaf, method: string): number {
  const named = leaf.named.get(method);
  if (named !== undefined) return named;
  if (method === "HEAD") {
    const get = leaf.named.get("GET");
    if (get !== undefined) return get;
  }
  return leaf.any !== NONE && leaf.anyMethods.has(method) ? leaf.any : NONE;
}

/**
 * @param length number of segments to be matched
 * @returns index of the route; below 0: none
 */
export function findRoute(
  root: TrieNode,
  segments: readonly string[],
  length: number,
  method: string,
): number {
  return walk(root, segments, 0, length, method);
}

function walk(
  node: TrieNode,
  segments: readonly string[],
  at: number,
  length: number,
  method: string,
): number {
  if (at === length) {
    const found = node.leaf === undefined ? NONE : routeAt(node.leaf, method);
    return found === NONE && node.closed ? CLOSED : found;
  }
  const segment = segments[at] ?? "";
  const child = node.statics?.get(segment);
  if (child !== undefined) {
    const found = walk(child, segments, at + 1, length, method);
    if (found !== NONE) return found;
  }
  // An empty segment stands for the slash at the end; nothing is bound to it.
  if (segment !== "") {
    if (node.param !== undefined) {
      const found = walk(node.param, segments, at + 1, length, method);
      if (found !== NONE) return found;
    }
    if (node.rest !== undefined) {
      const found = routeAt(node.rest, method);
      if (found !== NONE) return found;
    }
  }
  return node.closed ? CLOSED : NONE;
}

/**
 * Adds the methods of every route that fits the path.
 * @returns true when a closed prefix ends the search
 */
export function collectMethods(
  node: TrieNode,
  segments: readonly string[],
  at: number,
  length: number,
  into: Set<string>,
): boolean {
  if (at === length) {
    addMethods(node.leaf, into);
    return node.closed;
  }
  const segment = segments[at] ?? "";
  const child = node.statics?.get(segment);
  if (child !== undefined && collectMethods(child, segments, at + 1, length, into)) return true;
  if (segment !== "") {
    if (node.param !== undefined && collectMethods(node.param, segments, at + 1, length, into)) return true;
    addMethods(node.rest, into);
  }
  return node.closed;
}

function addMethods(leaf: Leaf | undefined, into: Set<string>): void {
  if (leaf === undefined) return;
  for (const method of leaf.named.keys()) into.add(method);
  for (const method of leaf.anyMethods) into.add(method);
}
