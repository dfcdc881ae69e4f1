/** The text of a condition to its syntax tree, or to what is wrong with it. */
import type { ASTNode } from "./ast.js";
import { parseExpression } from "./parser.js";
import { SyntaxProblem } from "./syntax-problem.js";

/** Longest text of an expression, and how often `!` and `-` may follow each other: the parser calls itself for each. */
const MAX_TEXT = 16_384;
const MAX_PREFIXES = 32;

export interface Rejection {
  readonly code: "condition-syntax" | "condition-too-large";
  readonly message: string;
  readonly help?: string;
}

/** The syntax tree, or why there is none. */
export function parse(text: string): ASTNode | Rejection {
  if (text.length > MAX_TEXT)
    return { code: "condition-too-large", message: `an expression has at most ${MAX_TEXT} characters` };
  if (longestPrefix(text) > MAX_PREFIXES)
    return { code: "condition-too-large", message: `more than ${MAX_PREFIXES} \`!\` or \`-\` in a row` };
  try {
    return parseExpression(text);
  } catch (error) {
    if (error instanceof SyntaxProblem) return rejection(error);
    throw error;
  }
}

export function isRejection(parsed: ASTNode | Rejection): parsed is Rejection {
  return "code" in parsed;
}

function rejection({ code, message, at }: SyntaxProblem): Rejection {
  const summary = message.charAt(0).toLowerCase() + message.slice(1);
  if (code === "condition-too-large")
    return { code, message: `the expression is too large or too deep (${summary})` };
  return {
    code,
    message: `no expression: ${summary} at character ${at + 1}`,
    ...(summary.endsWith("character: =") ? { help: "CEL compares with `==`" } : {}),
  };
}

/** Blanks do not end a row: `! ! !a`. */
function longestPrefix(text: string): number {
  let longest = 0;
  let row = 0;
  for (const char of text) {
    if (char === "!" || char === "-") row += 1;
    else if (char.trim() !== "") row = 0;
    longest = Math.max(longest, row);
  }
  return longest;
}
