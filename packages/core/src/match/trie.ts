/**
 * The routes as a tree of segments. It is walked in the order of specificity (static, `:param`, `*`, from the left), so the first
 * route that fits is the most specific one. Each node is met once at most, whatever the path: no input makes the walk longer than
 * the policy.
 */

/** Routes whose pattern ends at one place. */
export interface Leaf {
  /** The first method that a route names here, and its route: most places have no other, and a look-up touches nothing else. */
  method: string | undefined;
  route: number;
  /** Further ones, and beside each its route: few, so that looking them through beats a table. Undefined: none. */
  methods: string[] | undefined;
  routes: number[] | undefined;
  /** Route written with `*` for its method; -1: none. */
  any: number;
  anyMethods: ReadonlySet<string>;
}

export interface TrieNode {
  /** Text and node of the first static child: most nodes have no other, and one comparison is cheaper than a table. */
  text: string | undefined;
  child: TrieNode | undefined;
  /** All static children, where there are several. */
  statics: Map<string, TrieNode> | undefined;
  param: TrieNode | undefined;
  /** Patterns that end here. */
  leaf: Leaf | undefined;
  /** Patterns that end here with `*`. */
  rest: Leaf | undefined;
  /** A group's prefix ends here: what is less specific never reaches into it (POLICY: a group closes its prefix). */
  closed: boolean;
  /** The framework runs the handlers of `rest` for the path that ends here, which `rest` does not stand for. */
  sealed: boolean;
}

export function newNode(): TrieNode {
  return {
    text: undefined,
    child: undefined,
    statics: undefined,
    param: undefined,
    leaf: undefined,
    rest: undefined,
    closed: false,
    sealed: false,
  };
}

/** The static child for a text; made when it is missing. */
export function childFor(node: TrieNode, text: string): TrieNode {
  const known = staticChild(node, text);
  if (known !== undefined) return known;
  const fresh = newNode();
  if (node.child === undefined || node.text === undefined) {
    node.text = text;
    node.child = fresh;
  } else {
    node.statics ??= new Map([[node.text, node.child]]);
    node.statics.set(text, fresh);
  }
  return fresh;
}

function staticChild(node: TrieNode, text: string): TrieNode | undefined {
  if (node.statics !== undefined) return node.statics.get(text);
  return node.text === text ? node.child : undefined;
}

/** Every static child. */
export function staticChildren(node: TrieNode): readonly TrieNode[] {
  if (node.statics !== undefined) return [...node.statics.values()];
  return node.child === undefined ? [] : [node.child];
}

export function newLeaf(): Leaf {
  return {
    method: undefined,
    route: NONE,
    methods: undefined,
    routes: undefined,
    any: NONE,
    anyMethods: NO_METHODS,
  };
}

const NO_METHODS: ReadonlySet<string> = new Set();

/** For a method that no route names here yet. */
export function addMethod(leaf: Leaf, method: string, route: number): void {
  if (leaf.method === undefined) {
    leaf.method = method;
    leaf.route = route;
  } else {
    (leaf.methods ??= []).push(method);
    (leaf.routes ??= []).push(route);
  }
}

/** No route yet. */
export const NONE = -1;
/** No route, and nothing less specific may be tried. */
const CLOSED = -2;

/** Route that names this very method; `NONE` when none does. */
export function namedRoute(leaf: Leaf, method: string): number {
  if (leaf.method === method) return leaf.route;
  const { methods } = leaf;
  if (methods === undefined) return NONE;
  for (let i = 0; i < methods.length; i += 1) {
    if (methods[i] === method) return leaf.routes?.[i] ?? NONE;
  }
  return NONE;
}

/** HEAD has GET's route unless it has one of its own; a named method beats `*`. */
export function routeAt(leaf: Leaf, method: string): number {
  const named = namedRoute(leaf, method);
  if (named !== NONE) return named;
  if (method === "HEAD") {
    const get = namedRoute(leaf, "GET");
    if (get !== NONE) return get;
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
    return found === NONE && (node.closed || isSealed(node, method)) ? CLOSED : found;
  }
  const segment = segments[at] ?? "";
  const child = staticChild(node, segment);
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
  return node.closed || (segment === "" && isSealed(node, method)) ? CLOSED : NONE;
}

function isSealed({ sealed, rest }: TrieNode, method: string): boolean {
  return sealed && rest !== undefined && routeAt(rest, method) !== NONE;
}

/**
 * Finds the places of all routes that fit the path.
 * @returns true when a closed prefix ends the search
 */
export function collectLeaves(
  node: TrieNode,
  segments: readonly string[],
  at: number,
  length: number,
  into: Leaf[],
): boolean {
  if (at === length) {
    if (node.leaf !== undefined) into.push(node.leaf);
    return node.closed;
  }
  const segment = segments[at] ?? "";
  const child = staticChild(node, segment);
  if (child !== undefined && collectLeaves(child, segments, at + 1, length, into)) return true;
  if (segment !== "") {
    if (node.param !== undefined && collectLeaves(node.param, segments, at + 1, length, into)) return true;
    if (node.rest !== undefined) into.push(node.rest);
  }
  return node.closed;
}

/** Of all routes at these places, sorted, `HEAD` beside `GET`. */
export function methodsOf(
  leaves: readonly Leaf[],
  isOpen: (method: string) => boolean = () => true,
): readonly string[] {
  const methods = new Set<string>();
  for (const { method, methods: more, anyMethods } of leaves) {
    for (const one of [...(method === undefined ? [] : [method]), ...(more ?? []), ...anyMethods])
      if (isOpen(one)) methods.add(one);
  }
  if (methods.has("GET")) methods.add("HEAD");
  return [...methods].sort();
}
