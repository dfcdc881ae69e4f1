/** Members that an expression names anywhere: the library's record types are closed, ours may be open. */
import type { ASTNode } from "@marcbachmann/cel-js";

export function namesIn(ast: ASTNode, names: Set<string> = new Set()): Set<string> {
  switch (ast.op) {
    case "value":
    case "id":
      break;
    case ".":
    case ".?":
      names.add(ast.args[1]);
      namesIn(ast.args[0], names);
      break;
    case "[]":
    case "[?]":
      if (ast.args[1].op === "value" && typeof ast.args[1].args === "string") names.add(ast.args[1].args);
      all(ast.args, names);
      break;
    case "call":
      all(ast.args[1], names);
      break;
    case "rcall":
      all([ast.args[1], ...ast.args[2]], names);
      break;
    case "map":
      all(ast.args.flat(), names);
      break;
    case "!_":
    case "-_":
      namesIn(ast.args, names);
      break;
    default:
      all(ast.args, names);
  }
  return names;
}

function all(asts: readonly ASTNode[], names: Set<string>): void {
  for (const ast of asts) namesIn(ast, names);
}
