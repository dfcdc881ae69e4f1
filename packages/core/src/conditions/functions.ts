/** The functions of the language: CEL's own, and `inRange`. A name that the library knows beyond them is refused, never run. */
import type { ASTNode } from "./ast.js";
import { didYouMean } from "../errors/did-you-mean.js";
import type { Compiler } from "./compiler.js";
import { lift, lift1 } from "./compiler.js";
import { CONVERSIONS, compileConversion } from "./conversions.js";
import { compileMacro, isMacro, MACROS } from "./macros.js";
import type { Node } from "./node.js";
import { compileHas } from "./has.js";
import { compileGetter, compileInRange, compileMatches, isText, NO_TEXT } from "./literal-functions.js";
import { GETTERS } from "./time.js";
import { BOOL, INT } from "./types.js";
import { Failure, isObject, lengthOf } from "./values.js";

const NO_SIZE = new Failure("`size` is given something that is neither text, list nor map");

type Call = Extract<ASTNode, { op: "call" }>;
type Method = Extract<ASTNode, { op: "rcall" }>;

const FUNCTIONS: readonly string[] = ["has", "size", "inRange", ...CONVERSIONS];

export function compileCall(compiler: Compiler, ast: Call): Node | undefined {
  const [name, args] = ast.args;
  if (name === "has") return compileHas(compiler, ast, args.length === 1 ? args[0] : undefined);
  if (!FUNCTIONS.includes(name)) return unknownFunction(compiler, name, FUNCTIONS);
  const nodes = compiler.values(args);
  if (nodes === undefined) return undefined;
  if (name === "size") return compileSize(compiler, ast, nodes);
  return name === "inRange"
    ? compileInRange(compiler, ast, nodes)
    : compileConversion(compiler, ast, name, nodes);
}

type TextTest = (text: string, part: string) => boolean;

const TEXT_TESTS: ReadonlyMap<string, TextTest> = new Map<string, TextTest>([
  ["contains", (text, part) => text.includes(part)],
  ["startsWith", (text, part) => text.startsWith(part)],
  ["endsWith", (text, part) => text.endsWith(part)],
]);

const METHODS: readonly string[] = [...TEXT_TESTS.keys(), "matches", "size", ...MACROS.keys(), ...GETTERS];

export function compileMethod(compiler: Compiler, ast: Method): Node | undefined {
  const [name, target, args] = ast.args;
  if (isMacro(name, args.length)) return compileMacro(compiler, ast);
  if (!METHODS.includes(name)) return unknownFunction(compiler, name, METHODS);
  const nodes = compiler.values([target, ...args]);
  if (nodes === undefined) return undefined;
  const test = TEXT_TESTS.get(name);
  if (test !== undefined) return compileTextTest(compiler, ast, nodes, test);
  if (name === "matches") return compileMatches(compiler, ast, nodes);
  return name === "size" ? compileSize(compiler, ast, nodes) : compileGetter(compiler, ast, name, nodes);
}

function unknownFunction(compiler: Compiler, name: string, known: readonly string[]): undefined {
  const help = didYouMean(name, known) ?? `there are ${known.map((one) => `\`${one}\``).join(", ")}`;
  return compiler.error("unknown-function", `\`${name}\` is no function of conditions`, help);
}

function compileTextTest(
  compiler: Compiler,
  ast: Method,
  nodes: readonly Node[],
  test: TextTest,
): Node | undefined {
  const [text, part] = nodes;
  if (nodes.length !== 2 || !isText(text) || !isText(part)) return compiler.mismatch(ast, nodes);
  const run = lift(nodes, (value, other) =>
    typeof value === "string" && typeof other === "string" ? test(value, other) : NO_TEXT,
  );
  return compiler.node(ast, BOOL, run, { parts: nodes });
}

/** Code points of a text, items of a list, keys of a map. */
function compileSize(compiler: Compiler, ast: ASTNode, nodes: readonly Node[]): Node | undefined {
  const [node] = nodes;
  const sized = node !== undefined && ["string", "list", "map", "dyn"].includes(node.type.kind);
  if (nodes.length !== 1 || !sized) return compiler.mismatch(ast, nodes);
  const run = lift1(node.run, (value) => {
    if (typeof value === "string") return lengthOf(value);
    if (Array.isArray(value)) return value.length;
    return isObject(value) ? Object.keys(value).length : NO_SIZE;
  });
  return compiler.node(ast, INT, run, { parts: nodes });
}
