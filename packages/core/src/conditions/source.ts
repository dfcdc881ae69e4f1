/** The author's own text of a part: explanations and diagnostics quote it. */
import type { ASTNode } from "./ast.js";

/** Longer parts are cut in messages. */
const MAX_QUOTE = 120;

export function sourceOf(ast: ASTNode): string {
  const { input } = ast;
  const [before, after] = missingParentheses(input.slice(ast.start, ast.end));
  const start = extend(input, ast.start, before, "(", -1);
  const end = extend(input, ast.end - 1, after, ")", 1) + 1;
  const text = input.slice(start, end).trim();
  return text.length > MAX_QUOTE ? `${text.slice(0, MAX_QUOTE)}…` : text;
}

/** The parser leaves a group's own parentheses out of its range: `(a || b) && c` begins at `a`. */
function missingParentheses(text: string): readonly [before: number, after: number] {
  let open = 0;
  let before = 0;
  let quote: string | undefined;
  for (let index = 0; index < text.length; index += 1) {
    const char = text.charAt(index);
    if (quote !== undefined) {
      if (char === "\\") index += 1;
      else if (char === quote) quote = undefined;
    } else if (char === '"' || char === "'") quote = char;
    else if (char === "(") open += 1;
    else if (char === ")" && open > 0) open -= 1;
    else if (char === ")") before += 1;
  }
  return [before, open];
}

/** Steps outwards over as many parentheses, and the blanks between them. */
function extend(input: string, from: number, count: number, parenthesis: string, step: 1 | -1): number {
  let position = from;
  let last = from;
  for (let left = count; left > 0;) {
    position += step;
    if (position < 0 || position >= input.length) return last;
    if (input.charAt(position) !== parenthesis) continue;
    last = position;
    left -= 1;
  }
  return last;
}
