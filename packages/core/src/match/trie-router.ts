/** Asks the tables: text first, then the tree, and the tree twice where a path has two readings. */
import type { NormalizedRequest } from "../model/request.js";
import type { ParamsReader } from "./params.js";
import { foldAscii, rawReading } from "./reading.js";
import type { Reading } from "./reading.js";
import type { RouteMatch, Router } from "./router.js";
import { collectLeaves, findRoute, methodsOf, NONE, routeAt } from "./trie.js";
import type { Leaf, TrieNode } from "./trie.js";

export interface Tables {
  readonly root: TrieNode;
  /** Leaf of each path without parameters, by its text: the common case is one lookup. */
  readonly statics: Map<string, Leaf>;
  /** Some paths are withheld from less specific routes, method by method. */
  readonly sealed: boolean;
}

const NO_METHODS: readonly string[] = Object.freeze([]);

export class TrieRouter implements Router {
  private readonly fixed: readonly (RouteMatch | undefined)[];
  /** How long the paths without parameters are: another length is looked for in the tree at once. */
  private readonly lengths: ReadonlySet<number>;
  /** Methods by place: as many as the policy has places. */
  private readonly listed = new Map<Leaf, readonly string[]>();

  constructor(
    private readonly tables: Tables,
    private readonly params: readonly ParamsReader[],
    private readonly reading: Reading,
  ) {
    // A route without parameters always answers with the same match.
    this.fixed = params.map(({ fixed }, route) =>
      fixed === undefined ? undefined : Object.freeze({ route, params: fixed }),
    );
    this.lengths = new Set(Array.from(tables.statics.keys(), ({ length }) => length));
  }

  match(method: string, request: NormalizedRequest): RouteMatch | "ambiguous" | undefined {
    const path = this.comparable(request.path);
    const leaf = this.lengths.has(path.length) ? this.tables.statics.get(path) : undefined;
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
    if (length === 0) return NO_METHODS;
    const leaves: Leaf[] = [];
    collectLeaves(this.tables.root, this.folded(segments), 0, length, leaves);
    const [only] = leaves;
    if (only === undefined) return NO_METHODS;
    if (this.tables.sealed) return methodsOf(leaves, (method) => this.find(segments, length, method) >= 0);
    return leaves.length === 1 ? this.methodsAt(only) : methodsOf(leaves);
  }

  /** Most paths lead to one place: its list is made once, and is one object. */
  private methodsAt(leaf: Leaf): readonly string[] {
    const known = this.listed.get(leaf);
    if (known !== undefined) return known;
    const methods = Object.freeze(methodsOf([leaf]));
    this.listed.set(leaf, methods);
    return methods;
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
