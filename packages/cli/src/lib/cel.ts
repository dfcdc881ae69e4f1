/** Conditions as the engine's own parser reads them. */
import { parse, type ASTNode } from "@marcbachmann/cel-js";

export type { ASTNode } from "@marcbachmann/cel-js";

/** Undefined for a text that is none: `gatehouse check` has the words for it. */
export function parseCondition(text: string): ASTNode | undefined {
  try {
    return parse(text).ast;
  } catch {
    return undefined;
  }
}

/** `a || b || c` leans to the left; its operands are three. */
export function operandsOf(node: ASTNode, op: "||" | "&&"): readonly ASTNode[] {
  if (node.op !== op) return [node];
  const [left, right] = node.args;
  return [...operandsOf(left, op), right];
}

/** A part as the author wrote it, with the parentheses that the parser leaves out of its ranges. */
export function partText(text: string, [from, to]: readonly [number, number]): string {
  let [start, end] = [from, to];
  let open = depthOf(text.slice(start, end));
  while (open > 0 && end < text.length) if (text[end++] === ")") open--;
  while (open < 0 && start > 0) if (text[--start] === "(") open++;
  return text.slice(start, end).trim();
}

/** How many parentheses are not closed; below 0, not opened. Those within quotes are text. */
function depthOf(text: string): number {
  const bare = text.replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/gu, "");
  return (bare.match(/\(/gu) ?? []).length - (bare.match(/\)/gu) ?? []).length;
}
