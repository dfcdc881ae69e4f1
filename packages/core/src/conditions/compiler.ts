/** What the parts of the compiler share while one expression is compiled. */
import type { ASTNode } from "./ast.js";
import type { Report } from "../errors/diagnostics.js";
import type { Fact, Node } from "./node.js";
import type { Vocabulary } from "./roots.js";
import { sourceOf } from "./source.js";
import { typeName } from "./types.js";
import type { CelType } from "./types.js";
import { Failure } from "./values.js";
import type { ReadSet, Run } from "./values.js";

/** Steps that the comprehensions of one evaluation share. */
export const STEP_BUDGET = 10_000;

export const TOO_MANY_STEPS: Failure = new Failure("the condition takes more than 10,000 steps");

/** A name that a comprehension binds. Its values pass through one slot: evaluation is synchronous and never enters itself. */
export interface Variable {
  readonly type: CelType;
  readonly slot: { value: unknown };
}

export interface NodeExtras {
  readonly role?: Node["role"];
  readonly parts?: readonly Node[];
  readonly fact?: Fact;
  readonly set?: ReadSet;
  readonly constant?: { readonly value: unknown };
}

export class Compiler {
  readonly variables = new Map<string, Variable>();
  readonly budget: { left: number } = { left: STEP_BUDGET };
  failed = false;

  constructor(
    readonly vocabulary: Vocabulary,
    private readonly report: Report,
    private readonly pointer: string,
    /** Compiles any part; handed in, so that the files of the parts need not import each other in a circle. */
    readonly compile: (compiler: Compiler, ast: ASTNode) => Node | undefined,
  ) {}

  error(code: string, message: string, help?: string): undefined {
    this.failed = true;
    this.report.error(code, this.pointer, message, help);
    return undefined;
  }

  /** A part whose value is used as it stands: records (`principal`, an object of a schema) are only looked into. */
  value(ast: ASTNode): Node | undefined {
    const node = this.compile(this, ast);
    if (node === undefined || node.type.kind !== "record") return node;
    return this.error(
      "condition-type",
      `\`${node.text}\` is used as a value`,
      `name a field of it: ${this.namesOf(node.type.record.fields)}`,
    );
  }

  /** All parts, or undefined when one of them does not compile; every one is tried, so that all mistakes are told. */
  values(asts: readonly ASTNode[]): Node[] | undefined {
    const nodes = asts.map((ast) => this.value(ast));
    return nodes.includes(undefined) ? undefined : nodes.filter((node) => node !== undefined);
  }

  namesOf(fields: ReadonlyMap<string, unknown>): string {
    return [...fields.keys()].map((name) => `\`${name}\``).join(", ");
  }

  node(ast: ASTNode, type: CelType, run: Run, extras: NodeExtras = {}): Node {
    const { role = "plain", parts = [], fact, set, constant } = extras;
    return {
      role,
      text: sourceOf(ast),
      range: [ast.start, ast.end],
      type,
      run,
      parts,
      ...(fact === undefined ? {} : { fact }),
      ...(set === undefined ? {} : { set }),
      ...(constant === undefined ? {} : { constant }),
    };
  }

  /** No operator takes these two types together. */
  clash(op: string, left: Node, right: Node): undefined {
    return this.error(
      "condition-type",
      `no such overload: ${typeName(left.type)} ${op} ${typeName(right.type)}`,
    );
  }

  /** No operator or function takes these types. */
  mismatch(ast: ASTNode, nodes: readonly Node[], help?: string): undefined {
    const types = nodes.map((node) => `\`${node.text}\` is ${typeName(node.type)}`).join(", ");
    return this.error("condition-type", `\`${sourceOf(ast)}\` does not fit its types: ${types}`, help);
  }
}

/** A value computed from other values; an error in one of them is the error of the whole. */
export function lift(nodes: readonly Node[], compute: (...values: unknown[]) => unknown): Run {
  const [first, second] = nodes;
  if (first !== undefined && second === undefined) return lift1(first.run, compute);
  if (first !== undefined && second !== undefined && nodes.length === 2)
    return lift2(first.run, second.run, compute);
  const runs = nodes.map((node) => node.run);
  return (state) => {
    const values: unknown[] = [];
    for (const run of runs) {
      const value = run(state);
      if (value instanceof Failure) return value;
      values.push(value);
    }
    return compute(...values);
  };
}

export function lift1(operand: Run, compute: (value: unknown) => unknown): Run {
  return (state) => {
    const value = operand(state);
    return value instanceof Failure ? value : compute(value);
  };
}

export function lift2(left: Run, right: Run, compute: (left: unknown, right: unknown) => unknown): Run {
  return (state) => {
    const a = left(state);
    if (a instanceof Failure) return a;
    const b = right(state);
    return b instanceof Failure ? b : compute(a, b);
  };
}
