/** Conditions as the engine's own parser reads them. */
import type { ConditionSyntax as ASTNode } from "@gatehouse/core/analysis";

export { parseCondition } from "@gatehouse/core/analysis";
export type { ConditionSyntax as ASTNode } from "@gatehouse/core/analysis";

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
