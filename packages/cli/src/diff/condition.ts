/** A condition in three values, over unknowns: what CEL says of true, false and an error. */
import { inRanges, type ConditionTree } from "@gatehouse/core/analysis";
import type { Facts, Fact } from "./facts.js";
import { ABSENT, type Assignment, type Truth, type Value, type Variables } from "./variables.js";

export interface Formula {
  /** The same text means the same formula. */
  readonly key: string;
  readonly of: (given: Assignment) => Truth;
}

export const TRUE: Formula = { key: "true", of: () => true };
export const FALSE: Formula = { key: "false", of: () => false };

export function and(formulas: readonly Formula[]): Formula {
  const parts = distinct(formulas.filter((one) => one !== TRUE));
  if (parts.length === 1 && parts[0] !== undefined) return parts[0];
  return {
    key: parts.length === 0 ? "true" : `(and ${parts.map(({ key }) => key).join(" ")})`,
    of: (given) => {
      let result: Truth = true;
      for (const part of parts) {
        const truth = part.of(given);
        if (truth === false) return false;
        if (truth === "error") result = "error";
      }
      return result;
    },
  };
}

export function or(formulas: readonly Formula[]): Formula {
  const parts = distinct(formulas.filter((one) => one !== FALSE));
  if (parts.length === 1 && parts[0] !== undefined) return parts[0];
  return {
    key: parts.length === 0 ? "false" : `(or ${parts.map(({ key }) => key).join(" ")})`,
    of: (given) => {
      let result: Truth = false;
      for (const part of parts) {
        const truth = part.of(given);
        if (truth === true) return true;
        if (truth === "error") result = "error";
      }
      return result;
    },
  };
}

export function not(formula: Formula): Formula {
  return {
    key: `(not ${formula.key})`,
    of: (given) => {
      const truth = formula.of(given);
      return truth === "error" ? truth : !truth;
    },
  };
}

/** Order and repetition make no difference. */
function distinct(formulas: readonly Formula[]): readonly Formula[] {
  const byKey = new Map(formulas.map((one) => [one.key, one]));
  return [...byKey.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

type Operation = Extract<ConditionTree, { readonly kind: "operation" }>;

export function formulaOf(tree: ConditionTree, facts: Facts, variables: Variables): Formula {
  return new Reader(facts, variables).formula(tree);
}

const ORDER: ReadonlySet<string> = new Set(["<", "<=", ">", ">="]);

class Reader {
  constructor(
    private readonly facts: Facts,
    private readonly variables: Variables,
  ) {}

  formula(tree: ConditionTree): Formula {
    if (tree.kind === "literal")
      return tree.value === true ? TRUE : tree.value === false ? FALSE : this.#opaque(tree);
    if (tree.kind === "path") return this.#bare(tree);
    if (tree.kind !== "operation") return this.#opaque(tree);
    const { op, parts } = tree;
    const [left, right, third] = parts;
    if (op === "&&") return and(parts.map((part) => this.formula(part)));
    if (op === "||") return or(parts.map((part) => this.formula(part)));
    if (op === "!" && left !== undefined) return not(this.formula(left));
    if (op === "?:" && left !== undefined && right !== undefined && third !== undefined)
      return this.#choice(this.formula(left), this.formula(right), this.formula(third), tree);
    if (op === "!=" && left !== undefined && right !== undefined)
      return not(this.#comparison("==", left, right, tree));
    if ((op === "==" || ORDER.has(op)) && left !== undefined && right !== undefined)
      return this.#comparison(op, left, right, tree);
    if (op === "in" && left !== undefined && right !== undefined) return this.#membership(left, right, tree);
    if (op === "has" && left?.kind === "path") return this.#presence(left, tree);
    if (op === "inRange" && left?.kind === "path") return this.#range(left, parts.slice(1), tree);
    return this.#opaque(tree);
  }

  #choice(asked: Formula, yes: Formula, no: Formula, { op }: Operation): Formula {
    return {
      key: `(${op} ${asked.key} ${yes.key} ${no.key})`,
      of: (given) => {
        const truth = asked.of(given);
        return truth === "error" ? truth : (truth ? yes : no).of(given);
      },
    };
  }

  #bare(tree: Extract<ConditionTree, { kind: "path" }>): Formula {
    const fact = this.facts.fact(tree.names);
    if (fact === undefined) return this.#opaque(tree);
    if (fact.kind === "variable") this.variables.compared(fact.id, [true, false]);
    return {
      key: keyOf(fact),
      of: (given) => {
        const value = valueOf(fact, given);
        return typeof value === "boolean" ? value : "error";
      },
    };
  }

  #comparison(op: string, left: ConditionTree, right: ConditionTree, tree: Operation): Formula {
    const a = this.#operand(left);
    const b = this.#operand(right);
    if (a === undefined || b === undefined) return this.#opaque(tree);
    if (a.kind === "variable" && b.kind === "variable") return this.#between(op, a, b, tree);
    if (a.kind === "variable" && b.kind === "constant") this.variables.compared(a.id, [b.value]);
    if (b.kind === "variable" && a.kind === "constant") this.variables.compared(b.id, [a.value]);
    return {
      key: `(${op} ${keyOf(a)} ${keyOf(b)})`,
      of: (given) => compare(op, valueOf(a, given), valueOf(b, given)),
    };
  }

  /** Two unknowns: whether they are equal is an unknown of its own. */
  #between(
    op: string,
    a: Extract<Fact, { kind: "variable" }>,
    b: Extract<Fact, { kind: "variable" }>,
    tree: Operation,
  ): Formula {
    if (op !== "==") return this.#opaque(tree);
    const [first, second] = a.id < b.id ? [a, b] : [b, a];
    const id = this.variables.truth(`(== ${first.id} ${second.id})`, {
      kind: "equal",
      left: first.origin,
      right: second.origin,
    });
    return { key: id, of: (given) => truthOf(given, id) };
  }

  #operand(tree: ConditionTree): Fact | undefined {
    if (tree.kind === "literal") return { kind: "constant", value: tree.value };
    if (tree.kind === "operation" && tree.op === "-" && tree.parts.length === 1) {
      const [inner] = tree.parts;
      if (inner?.kind === "literal" && typeof inner.value === "number")
        return { kind: "constant", value: -inner.value };
    }
    return tree.kind === "path" ? this.facts.fact(tree.names) : undefined;
  }

  #membership(left: ConditionTree, right: ConditionTree, tree: Operation): Formula {
    if (right.kind === "path" && left.kind === "literal" && typeof left.value === "string") {
      const held = this.facts.holds(right.names, left.value);
      if (held !== undefined) return held;
    }
    if (right.kind !== "list") return this.#opaque(tree);
    const tests = right.parts.map((part) =>
      this.#comparison("==", left, part, {
        ...tree,
        op: "==",
        parts: [left, part],
        text: `(== ${left.text} ${part.text})`,
      }),
    );
    return or(tests);
  }

  #presence(path: Extract<ConditionTree, { kind: "path" }>, tree: Operation): Formula {
    const fact = this.facts.fact(path.names);
    // What `has` says of a scalar's field is another matter.
    if (fact === undefined || !this.facts.isTopField(path.names)) return this.#opaque(tree);
    return { key: `(has ${keyOf(fact)})`, of: (given) => valueOf(fact, given) !== ABSENT };
  }

  #range(
    path: Extract<ConditionTree, { kind: "path" }>,
    ranges: readonly ConditionTree[],
    tree: Operation,
  ): Formula {
    const fact = path.names.join(".") === "client.ip" ? this.facts.fact(path.names) : undefined;
    const texts = ranges.flatMap((range) =>
      range.kind === "literal" && typeof range.value === "string" ? [range.value] : [],
    );
    if (fact?.kind !== "variable" || texts.length !== ranges.length) return this.#opaque(tree);
    this.facts.ranges(fact.id, texts);
    return {
      key: `(inRange ${fact.id} ${[...texts].sort().join(" ")})`,
      of: (given) => {
        const value = valueOf(fact, given);
        return typeof value === "string" ? inRanges(value, texts) : "error";
      },
    };
  }

  /** Not looked into: the same text over the same facts is the same unknown. */
  #opaque(tree: ConditionTree): Formula {
    const id = this.variables.truth(`opaque ${this.#resolved(tree)}`, { kind: "opaque" });
    return { key: id, of: (given) => truthOf(given, id) };
  }

  #resolved(tree: ConditionTree): string {
    if (tree.kind === "path") return this.facts.nameOf(tree.names);
    if (tree.kind === "literal") return tree.text;
    const parts = tree.parts.map((part) => this.#resolved(part));
    return `(${[tree.kind === "list" ? "list" : tree.op, ...parts].join(" ")})`;
  }
}

function keyOf(fact: Fact): string {
  if (fact.kind === "variable") return fact.mapped === true ? `${fact.id}?` : fact.id;
  return typeof fact.value === "symbol" ? String(fact.value.description) : JSON.stringify(fact.value);
}

function valueOf(fact: Fact, given: Assignment): Value {
  if (fact.kind === "constant") return fact.value;
  const value = given.get(fact.id);
  return value === undefined || (fact.mapped === true && value === null) ? ABSENT : value;
}

function truthOf(given: Assignment, id: string): Truth {
  const value = given.get(id);
  return typeof value === "boolean" ? value : "error";
}

function compare(op: string, a: Value, b: Value): Truth {
  if (a === ABSENT || b === ABSENT) return "error";
  if (op === "==") return a === b;
  if (typeof a === "number" && typeof b === "number") return ordered(op, a - b);
  if (typeof a === "string" && typeof b === "string") return ordered(op, a < b ? -1 : a > b ? 1 : 0);
  return "error";
}

function ordered(op: string, difference: number): boolean {
  switch (op) {
    case "<":
      return difference < 0;
    case "<=":
      return difference <= 0;
    case ">":
      return difference > 0;
    default:
      return difference >= 0;
  }
}
