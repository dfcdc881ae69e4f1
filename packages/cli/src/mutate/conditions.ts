/** Mutants of a condition: its operands made constant, its operators and literals turned round. */
import { operandsOf, parseCondition, type ASTNode } from "../lib/cel.js";
import { set, type Mutant } from "./mutant.js";

const TURNED: Readonly<Record<string, readonly string[]>> = {
  "==": ["!="],
  "!=": ["=="],
  "<": ["<=", ">="],
  "<=": ["<", ">"],
  ">": [">=", "<="],
  ">=": [">", "<"],
  "+": ["-"],
  "-": ["+"],
  "*": ["/"],
  "/": ["*"],
};

/** Those that do not compile are left out later, by whoever compiles them. */
export function conditionMutants(text: string, pointer: string): readonly Mutant[] {
  const root = parseCondition(text);
  if (root === undefined) return [];
  const texts = new Map<string, string>();
  const add = (changed: string, what: string): void => {
    if (changed !== text && !texts.has(changed)) texts.set(changed, what);
  };
  for (const value of ["true", "false"]) add(value, `always ${value}`);
  visit(root);
  return [...texts].map(([changed, what]) => set(pointer, changed, what));

  function visit(node: ASTNode): void {
    const replace = (from: number, to: number, by: string): string =>
      text.slice(0, from) + by + text.slice(to);
    switch (node.op) {
      case "||":
      case "&&": {
        const operands = operandsOf(node, node.op);
        for (const operand of operands) {
          for (const value of ["true", "false"])
            add(replace(...extentOf(operand), value), `\`${textOf(operand)}\` always ${value}`);
          visit(operand);
        }
        const other = node.op === "||" ? "&&" : "||";
        for (const [index, operand] of operands.slice(1).entries()) {
          const at = between(text, operands[index]?.end ?? 0, operand.start, node.op);
          if (at >= 0) add(replace(at, at + 2, other), `\`${node.op}\` is \`${other}\``);
        }
        return;
      }
      case "!_": {
        const at = text.indexOf("!", node.start);
        if (at >= 0) add(replace(at, at + 1, ""), "`!` left out");
        return visit(node.args);
      }
      case "?:":
        for (const part of node.args) visit(part);
        add(replace(...extentOf(node.args[0]), "true"), "`? :` always takes its first branch");
        add(replace(...extentOf(node.args[0]), "false"), "`? :` always takes its second branch");
        return;
      case "value":
        for (const literal of literals(node.args))
          add(replace(node.start, node.end, literal), `${text.slice(node.start, node.end)} is ${literal}`);
        return;
      case "in": {
        const [from, to] = extentOf(node);
        add(replace(from, to, `!(${text.slice(from, to)})`), `\`${textOf(node)}\` turned round`);
        return;
      }
      case "call":
        return node.args[1].forEach(visit);
      case "rcall":
        visit(node.args[1]);
        return node.args[2].forEach(visit);
      default: {
        const parts: readonly unknown[] = Array.isArray(node.args) ? node.args : [];
        const [left, right] = parts;
        if (!isNode(left) || !isNode(right)) return;
        for (const by of TURNED[node.op] ?? []) {
          const at = between(text, left.end, right.start, node.op);
          if (at >= 0)
            add(replace(at, at + node.op.length, by), `\`${node.op}\` is \`${by}\` in \`${textOf(node)}\``);
        }
        visit(left);
        visit(right);
      }
    }
  }

  function textOf(node: ASTNode): string {
    return text.slice(...extentOf(node)).trim();
  }

  /** With the parentheses that the parser leaves out of its ranges, of which one side alone would be no text. */
  function extentOf({ start, end }: ASTNode): [number, number] {
    let depth = 0;
    let least = 0;
    for (const char of bare(text.slice(start, end))) {
      if (char === "(") depth++;
      if (char === ")") least = Math.min(least, --depth);
    }
    let [from, to] = [start, end];
    for (let left = -least; left > 0 && from > 0;) if (text[--from] === "(") left--;
    for (let left = depth - least; left > 0 && to < text.length;) if (text[to++] === ")") left--;
    return [from, to];
  }
}

/** The same length, with nothing in quotes. */
function bare(text: string): string {
  return text.replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/gu, (quoted) => "_".repeat(quoted.length));
}

function between(text: string, from: number, to: number, operator: string): number {
  const at = bare(text.slice(0, to)).indexOf(operator, from);
  return at;
}

function literals(value: unknown): readonly string[] {
  if (typeof value === "boolean") return [String(!value)];
  if (typeof value === "bigint") return [String(value + 1n), String(value - 1n)];
  if (typeof value === "number") return [String(value + 1), String(value - 1)];
  return typeof value === "string" ? [value === "" ? "'mutant'" : "''"] : [];
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === "object" && value !== null && "op" in value && "start" in value;
}
