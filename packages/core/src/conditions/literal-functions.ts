/** Functions whose argument must be written out, because it is prepared while compiling: patterns, ranges, time zones. */
import type { ASTNode } from "./ast.js";
import { linearPatterns } from "#libraries";
import { parseAddress } from "../lib/ip.js";
import { inAnyRange, isRangeProblem, parseRange } from "../lib/ip-range.js";
import type { AddressRange } from "../lib/ip-range.js";
import type { Compiler } from "./compiler.js";
import { lift1 } from "./compiler.js";
import type { Node } from "./node.js";
import { instantGetter, spanGetter, zoneOffset } from "./time.js";
import { BOOL, INT } from "./types.js";
import { Failure } from "./values.js";

export const NO_TEXT: Failure = new Failure("a text function is given something that is no text");
const NO_ADDRESS = new Failure("`inRange` is given something that is no IP address");

type Call = Extract<ASTNode, { op: "call" }>;
type Method = Extract<ASTNode, { op: "rcall" }>;

export function isText(node: Node | undefined): node is Node {
  return node !== undefined && (node.type.kind === "string" || node.type.kind === "dyn");
}

/** Linear in the text, whatever the pattern (RE2): that is why it must be known now. */
export function compileMatches(compiler: Compiler, ast: Method, nodes: readonly Node[]): Node | undefined {
  const [text, pattern] = nodes;
  if (nodes.length !== 2 || !isText(text) || pattern === undefined) return compiler.mismatch(ast, nodes);
  const source = pattern.constant?.value;
  if (typeof source !== "string") {
    return compiler.error(
      "pattern-not-literal",
      `the pattern of \`${text.text}.matches(…)\` is not written here`,
      "write it as text: patterns are compiled when the policy is",
    );
  }
  const compiled = compilePattern(source);
  if (typeof compiled === "string")
    return compiler.error(
      "invalid-pattern",
      `pattern \`${source}\` cannot be compiled: ${compiled}`,
      "the syntax is RE2: no look-around, no back-references",
    );
  const run = lift1(text.run, (value) => (typeof value === "string" ? compiled.test(value) : NO_TEXT));
  return compiler.node(ast, BOOL, run, { parts: [text] });
}

type LinearPattern = ReturnType<ReturnType<typeof linearPatterns>["compile"]>;

function compilePattern(source: string): LinearPattern | string {
  try {
    return linearPatterns().compile(source);
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^error parsing regexp: /, "") : "unknown mistake";
  }
}

export function compileInRange(compiler: Compiler, ast: Call, nodes: readonly Node[]): Node | undefined {
  const [address, ...ranges] = nodes;
  if (!isText(address) || ranges.length === 0) {
    return compiler.error(
      "condition-type",
      "`inRange` takes an address and one or more ranges",
      'write `inRange(client.ip, "10.0.0.0/8")`',
    );
  }
  const parsed = ranges.map((range) => parseLiteralRange(compiler, range));
  if (parsed.includes(undefined)) return undefined;
  const known = parsed.filter((range) => range !== undefined);
  const run = lift1(address.run, (value) => {
    const found = typeof value === "string" ? parseAddress(value) : undefined;
    return found === undefined ? NO_ADDRESS : inAnyRange(found, known);
  });
  return compiler.node(ast, BOOL, run, { parts: [address] });
}

function parseLiteralRange(compiler: Compiler, node: Node): AddressRange | undefined {
  const text = node.constant?.value;
  if (typeof text !== "string")
    return compiler.error(
      "invalid-range",
      `\`${node.text}\` is no literal range`,
      'write the range as text: `"10.0.0.0/8"`',
    );
  const range = parseRange(text);
  if (!isRangeProblem(range)) return range;
  const help =
    range.suggestion === undefined
      ? 'write an address or a CIDR range: `"10.0.0.0/8"`'
      : `did you mean \`${range.suggestion}\`?`;
  return compiler.error("invalid-range", `\`${text}\` ${range.problem}`, help);
}

/** Parts of an instant (in UTC, or in a zone written as text), or a duration in whole units. */
export function compileGetter(
  compiler: Compiler,
  ast: Method,
  name: string,
  nodes: readonly Node[],
): Node | undefined {
  const [time, zone] = nodes;
  const getter = time?.type.kind === "duration" && zone === undefined ? spanGetter(name) : undefined;
  if (time !== undefined && getter !== undefined)
    return compiler.node(
      ast,
      INT,
      lift1(time.run, (value) => getter(Number(value))),
      { parts: [time] },
    );
  if (time?.type.kind !== "timestamp" || nodes.length > 2) return compiler.mismatch(ast, nodes);
  const offset = zone === undefined ? undefined : literalZone(compiler, zone);
  const ofInstant = instantGetter(name, offset);
  // A comprehension with too few or too many arguments comes here too.
  if (ofInstant === undefined) return compiler.mismatch(ast, nodes);
  if (zone !== undefined && offset === undefined) return undefined;
  return compiler.node(
    ast,
    INT,
    lift1(time.run, (value) => ofInstant(Number(value))),
    { parts: [time] },
  );
}

function literalZone(compiler: Compiler, node: Node): ((instant: number) => number) | undefined {
  const name = node.constant?.value;
  const offset = typeof name === "string" ? zoneOffset(name) : undefined;
  return (
    offset ??
    compiler.error(
      "invalid-zone",
      `\`${node.text}\` is no time zone`,
      'write it as text: `"Europe/Berlin"` or `"+02:00"`',
    )
  );
}
