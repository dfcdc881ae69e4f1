/** Makes nodes: the schemas that hold at a place, times the progress of the pointers there. */
import type { RedactAction } from "../../model/policy.js";
import { compareActions } from "./action.js";
import type { MakeLayoutWriter } from "./layout-writer.js";
import type { MakeMemberScanner } from "./scan-code.js";
import type { Atom, NamePattern } from "./atom.js";
import { EVERY_TYPE } from "./json-type.js";
import { type ItemPlan, Node, type NodeAction, type Step } from "./node.js";
import { NO_PROGRESS, type Pointers, type Progress } from "../../lib/pointer-set.js";
import type { Expansion, SchemaReader } from "./schema-reader.js";
import type { Union } from "./union.js";

/** One entry of `response.redact`. */
export interface PointerAction {
  readonly action: RedactAction;
  readonly condition: number;
  readonly rule: string;
}

/** Nodes without progress are the same for all routes of a policy. */
export type NodeCache = Map<string, Step>;

/** What makes code. */
export interface Makers {
  readonly writer: MakeLayoutWriter;
  readonly scanner: MakeMemberScanner;
}

export class NodeBuilder {
  readonly #own: NodeCache = new Map();

  constructor(
    private readonly reader: SchemaReader,
    private readonly shared: NodeCache,
    private readonly pointers: Pointers,
    private readonly actions: readonly PointerAction[],
    /** Undefined: no code can be made, so every object is written member by member. */
    readonly makers?: Makers,
  ) {}

  root(expansion: Expansion): Step {
    return this.node([expansion], this.pointers.start);
  }

  /** Undefined: nothing is declared there, so nothing leaves. */
  node(expansions: readonly Expansion[], progress: Progress): Step {
    if (expansions.length === 0) return undefined;
    const atoms = byPlace(expansions.flatMap((expansion) => expansion.atoms));
    const unions = byPlace(expansions.flatMap((expansion) => expansion.unions));
    const key = `${[...atoms, ...unions].map(({ at }) => at).join("\n")}\n\n${progress.key}`;
    const cache = progress === NO_PROGRESS ? this.shared : this.#own;
    if (cache.has(key)) return cache.get(key);
    const node = this.#make(atoms, unions, progress);
    cache.set(key, node);
    return node;
  }

  #make(all: readonly Atom[], unions: readonly Union[], progress: Progress): Step {
    if (all.some(({ kind }) => kind === "none")) return undefined;
    const shapes = all.filter(({ kind }) => kind === "shape");
    const free = all.filter(({ kind }) => kind === "any");
    // Beside a part that declares a shape, `{}` declares nothing more.
    const declared = shapes.length > 0 || unions.length > 0 ? shapes : free.slice(0, 1);
    if (declared.length === 0 && unions.length === 0) return undefined;
    const types = declared.reduce((bits, atom) => bits & atom.types, EVERY_TYPE);
    const [union] = unions;
    const choice = union === undefined ? undefined : { union, nodes: [] };
    return new Node(this, all, declared, unions, progress, types, this.#actionsAt(all, progress), choice);
  }

  /** Strictest first; of equal ones an unconditional first. */
  #actionsAt(atoms: readonly Atom[], progress: Progress): readonly NodeAction[] {
    const found: NodeAction[] = [];
    for (const { redact, at } of atoms)
      if (redact !== undefined) found.push({ action: redact, condition: -1, rule: `${at}/redact` });
    for (const index of this.pointers.matched(progress)) {
      const action = this.actions[index];
      if (action !== undefined) found.push(action);
    }
    found.sort((a, b) => compareActions(a.action, b.action) || a.condition - b.condition);
    const certain = found.findIndex(({ condition }) => condition < 0);
    return certain < 0 ? found : found.slice(0, certain + 1);
  }

  branchOf(node: Node, union: Union, index: number): Step {
    const branch = union.branches[index];
    if (branch === undefined) return undefined;
    const rest = node.unions.filter((other) => other !== union);
    return this.node([{ atoms: node.all, unions: rest }, this.reader.expand(branch)], node.progress);
  }

  /** Members that a schema declares by name or a pointer names. */
  namedMembers(node: Node): ReadonlyMap<string, Step> {
    const names = new Set(node.atoms.flatMap((atom) => [...atom.properties.keys()]));
    for (const name of this.pointers.names(node.progress)) names.add(name);
    const patterns = node.atoms.flatMap((atom) => atom.patterns);
    return new Map(
      [...names].map((name) => [
        name,
        this.memberOf(
          node,
          name,
          patterns.filter((pattern) => pattern.test(name)),
        ),
      ]),
    );
  }

  /** @param name undefined: one that nobody names */
  memberOf(node: Node, name: string | undefined, fitting: readonly NamePattern[]): Step {
    const parts: Expansion[] = [];
    for (const atom of node.atoms) {
      if (atom.kind === "any") parts.push(whole(atom));
      const places = atom.patterns.filter((pattern) => fitting.includes(pattern)).map(({ place }) => place);
      const own = name === undefined ? undefined : atom.properties.get(name);
      if (own !== undefined) places.push(own);
      if (places.length === 0 && atom.additional !== undefined) places.push(atom.additional);
      parts.push(...places.map((place) => this.reader.expand(place)));
    }
    return this.node(parts, this.pointers.step(node.progress, name));
  }

  itemsOf(node: Node): ItemPlan {
    const places = this.pointers
      .names(node.progress)
      .flatMap((name) => (isIndex(name) ? [Number(name)] : []));
    const length = Math.max(0, ...node.atoms.map((atom) => atom.prefix.length));
    const head = Array.from({ length }, (_, index) => this.#itemAt(node, index));
    const named = new Map(
      places.filter((index) => index >= length).map((index) => [index, this.#itemAt(node, index)]),
    );
    return { head, named, rest: this.#itemAt(node, undefined), tuple: length > 0 };
  }

  /** @param index undefined: beyond every prefix, and named by no pointer */
  #itemAt(node: Node, index: number | undefined): Step {
    const parts: Expansion[] = [];
    for (const atom of node.atoms) {
      if (atom.kind === "any") parts.push(whole(atom));
      const place = (index === undefined ? undefined : atom.prefix[index]) ?? atom.items;
      if (place !== undefined) parts.push(this.reader.expand(place));
    }
    return this.node(
      parts,
      this.pointers.step(node.progress, index === undefined ? undefined : String(index)),
    );
  }
}

/** Whatever is let out whole lets its members out whole. */
function whole(atom: Atom): Expansion {
  return { atoms: [atom], unions: [] };
}

/** As RFC 6901 writes an index: no leading zeros. */
function isIndex(name: string): boolean {
  return /^(?:0|[1-9][0-9]{0,15})$/u.test(name);
}

/** Each once, in an order of their own: the key of a node must not depend on the way that led to it. */
function byPlace<T extends { readonly at: string }>(list: readonly T[]): readonly T[] {
  const places = new Map(list.map((item) => [item.at, item]));
  return [...places.values()].sort((a, b) => (a.at === b.at ? 0 : a.at < b.at ? -1 : 1));
}
