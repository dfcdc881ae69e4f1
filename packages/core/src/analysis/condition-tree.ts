/** Conditions as trees. */
import type { ASTNode } from "../conditions/ast.js";
import { isRejection, parse } from "../conditions/parse.js";

/** `text` is canonical: blanks, quotes and superfluous parentheses make no difference. */
export type ConditionTree =
  | { readonly kind: "literal"; readonly value: string | number | boolean | null; readonly text: string }
  /** Names from a root on: `principal`, `claims`, `org`. An index by literal text is a name. */
  | { readonly kind: "path"; readonly names: readonly string[]; readonly text: string }
  | { readonly kind: "list"; readonly parts: readonly ConditionTree[]; readonly text: string }
  /** `op`: `&&`, `||`, `!`, `?:`, `==`, `<`, `in`, `has`, …, or the name of a function. */
  | {
      readonly kind: "operation";
      readonly op: string;
      readonly parts: readonly ConditionTree[];
      readonly text: string;
    };

/** As it is written, each part with its place. Undefined for what is no condition; the checks of the policy have told why. */
export function parseCondition(text: string): ASTNode | undefined {
  const parsed = parse(text);
  return isRejection(parsed) ? undefined : parsed;
}

/** Undefined for what is no condition. */
export function readCondition(text: string): ConditionTree | undefined {
  const parsed = parseCondition(text);
  return parsed && treeOf(parsed);
}

function treeOf(ast: ASTNode): ConditionTree {
  switch (ast.op) {
    case "value":
      return literal(ast.args);
    case "id":
      return { kind: "path", names: [ast.args], text: ast.args };
    case ".":
      return member(treeOf(ast.args[0]), ast.args[1]);
    case "[]":
      return index(treeOf(ast.args[0]), treeOf(ast.args[1]));
    case "list": {
      const parts = ast.args.map(treeOf);
      return { kind: "list", parts, text: `[${parts.map((part) => part.text).join(", ")}]` };
    }
    case "map":
      return operation(
        "map-literal",
        ast.args.flatMap(([key, value]) => [treeOf(key), treeOf(value)]),
      );
    case "call":
      return operation(ast.args[0], ast.args[1].map(treeOf));
    case "rcall":
      return operation(`.${ast.args[0]}`, [treeOf(ast.args[1]), ...ast.args[2].map(treeOf)]);
    case "!_":
    case "-_":
      return operation(ast.op.charAt(0), [treeOf(ast.args)]);
    default:
      return operation(ast.op, ast.args.map(treeOf));
  }
}

function literal(value: unknown): ConditionTree {
  // An int is exact within 2^53 in this language.
  const plain = typeof value === "bigint" ? Number(value) : value;
  if (plain === null || typeof plain === "string" || typeof plain === "boolean")
    return { kind: "literal", value: plain, text: JSON.stringify(plain) };
  if (typeof plain === "number")
    return {
      kind: "literal",
      value: plain,
      text: typeof value === "bigint" ? `${plain}` : `double ${plain}`,
    };
  return operation("constant", [{ kind: "literal", value: String(value), text: String(value) }]);
}

function member(object: ConditionTree, name: string): ConditionTree {
  return object.kind === "path"
    ? { kind: "path", names: [...object.names, name], text: `${object.text}.${name}` }
    : operation(".", [object, { kind: "literal", value: name, text: JSON.stringify(name) }]);
}

function index(object: ConditionTree, key: ConditionTree): ConditionTree {
  return key.kind === "literal" && typeof key.value === "string"
    ? member(object, key.value)
    : operation("[]", [object, key]);
}

function operation(op: string, parts: readonly ConditionTree[]): ConditionTree {
  return { kind: "operation", op, parts, text: `(${[op, ...parts.map((part) => part.text)].join(" ")})` };
}
