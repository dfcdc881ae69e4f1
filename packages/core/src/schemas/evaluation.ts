/** What the interpreter carries from keyword to keyword while it walks one value. */
import { escapeSegment } from "../lib/pointer.js";
import type { InputProblem } from "../model/outcome.js";
import { type ProblemRule, messageFor } from "./messages.js";

/** A compiled schema or keyword: does the value fit? `seen`: what has been spoken for, where somebody asks. */
export type Node = (value: unknown, walk: Walk, seen: Seen | undefined) => boolean;

/** Properties and items of one value that some schema spoke for: what `unevaluated…` leaves alone. */
export class Seen {
  /** Everything is spoken for. */
  allNames = false;
  readonly names = new Set<string>();
  /** Items from the first up to this index are spoken for. */
  items = 0;
  readonly contained = new Set<number>();
  /** An alternative that was looked for does not fit: what it would have spoken for is not known. */
  uncertain = false;

  merge(other: Seen): void {
    if (other.allNames) this.allNames = true;
    if (other.uncertain) this.uncertain = true;
    for (const name of other.names) this.names.add(name);
    if (other.items > this.items) this.items = other.items;
    for (const index of other.contained) this.contained.add(index);
  }
}

/** A property to be taken out. */
export interface Cut {
  readonly from: Record<string, unknown>;
  readonly name: string;
}

export class Walk {
  /** Undefined: only whether the value fits is asked for, and the first misfit ends the walk. */
  problems: InputProblem[] | undefined;
  readonly #limit: number;
  readonly #path: (string | number)[] = [];
  /** Undefined: what no schema names is refused. */
  readonly cuts: Cut[] | undefined;

  constructor(limit: number, cuts?: Cut[]) {
    this.#limit = limit;
    this.problems = limit > 0 ? [] : undefined;
    this.cuts = cuts;
  }

  /** Notes a problem at the place where the walk stands. Always false, so that a keyword can return it. */
  fail(rule: ProblemRule, detail?: string | number, below?: string | number): false {
    if (this.problems !== undefined && this.problems.length < this.#limit) {
      const pointer = this.#path.map(segment).join("") + (below === undefined ? "" : segment(below));
      this.problems.push({ pointer, rule, message: messageFor(rule, detail) });
    }
    return false;
  }

  /** True: one misfit was found, and no more are wanted. */
  get done(): boolean {
    return this.problems === undefined || this.problems.length >= this.#limit;
  }

  child(node: Node, value: unknown, at: string | number): boolean {
    if (this.problems === undefined) return node(value, this, undefined);
    this.#path.push(at);
    const fits = node(value, this, undefined);
    this.#path.pop();
    return fits;
  }

  /** Asks without consequences: what a branch that does not fit complains of, or would cut, is dropped. */
  ask(node: Node, value: unknown, seen: Seen | undefined): boolean {
    const { problems, cuts } = this;
    const before = cuts?.length ?? 0;
    const spoken = seen === undefined ? undefined : new Seen();
    this.problems = undefined;
    const fits = node(value, this, spoken);
    this.problems = problems;
    if (fits && spoken !== undefined) seen?.merge(spoken);
    if (!fits && cuts !== undefined) cuts.length = before;
    return fits;
  }
}

/** A caller's name is cut short: its length is the caller's choice. */
function segment(name: string | number): string {
  const text = String(name);
  return `/${escapeSegment(text.length > 64 ? `${text.slice(0, 64).toWellFormed()}…` : text)}`;
}
