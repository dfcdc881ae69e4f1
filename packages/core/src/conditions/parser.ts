/**
 * Tokens → syntax tree, by recursive descent along the grammar of CEL. How deep it may call itself, and how much it may make, is bounded:
 * a policy that somebody else wrote must not exhaust whoever checks it.
 */
import type { ASTNode, BinaryOperator, NodeOf, Operator } from "./ast.js";
import { SyntaxProblem } from "./syntax-problem.js";
import { Tokens } from "./tokens.js";
import type { TokenKind } from "./tokens.js";

const LIMITS = {
  maxAstNodes: 1000,
  maxDepth: 64,
  maxListElements: 500,
  maxMapEntries: 100,
  maxCallArguments: 32,
};

type Limit = keyof typeof LIMITS;

/** Words that CEL keeps for the languages around it. */
const RESERVED: ReadonlySet<string> = new Set(
  "as break const continue else for function if import let loop package namespace return var void while __proto__ prototype".split(
    " ",
  ),
);

type InfixOperator = BinaryOperator | "||" | "&&";

/** Each level binds closer than the one before. All relations are one: `a == b < c` is `(a == b) < c`. */
const LEVELS: readonly Readonly<Partial<Record<TokenKind, InfixOperator>>>[] = [
  { OR: "||" },
  { AND: "&&" },
  { EQ: "==", NE: "!=", LT: "<", LE: "<=", GT: ">", GE: ">=", IN: "in" },
  { PLUS: "+", MINUS: "-" },
  { MULTIPLY: "*", DIVIDE: "/", MODULO: "%" },
];

/** Comprehensions by name and number of arguments, as a message spells them. The first argument names a variable. */
const BINDING: ReadonlyMap<string, string> = new Map([
  ["all/2", "all(var, predicate)"],
  ["exists/2", "exists(var, predicate)"],
  ["exists_one/2", "exists_one(var, predicate)"],
  ["filter/2", "filter(var, predicate)"],
  ["map/2", "map(var, transform)"],
  ["map/3", "map(var, filter, transform)"],
]);

/** @throws SyntaxProblem */
export function parseExpression(text: string): ASTNode {
  return new Parser(text).whole();
}

class Parser {
  private readonly tokens: Tokens;
  private depthLeft = LIMITS.maxDepth;
  private nodesLeft = LIMITS.maxAstNodes;

  constructor(private readonly input: string) {
    this.tokens = new Tokens(input);
    this.tokens.next();
  }

  whole(): ASTNode {
    const expression = this.expression();
    const { kind, start, end } = this.tokens;
    if (kind === "EOF") return expression;
    throw new SyntaxProblem(`Unexpected character: '${this.input.charAt(end - 1)}'`, start);
  }

  private expression(): ASTNode {
    this.deeper(this.tokens.start);
    const condition = this.binary(0);
    if (!this.skip("QUESTION")) {
      this.depthLeft += 1;
      return condition;
    }
    const yes = this.expression();
    this.expect("COLON");
    const no = this.expression();
    this.depthLeft += 1;
    return this.node("?:", condition.start, no.end, [condition, yes, no]);
  }

  private deeper(at: number): void {
    if (this.depthLeft === 0) exceeded("maxDepth", at);
    this.depthLeft -= 1;
  }

  private binary(level: number): ASTNode {
    const operators = LEVELS[level];
    if (operators === undefined) return this.unary();
    let left = this.binary(level + 1);
    for (let op = operators[this.tokens.kind]; op !== undefined; op = operators[this.tokens.kind]) {
      this.tokens.next();
      const right = this.binary(level + 1);
      left = this.node(op, left.start, right.end, [left, right]);
    }
    return left;
  }

  /** `-1` is a minus before 1, as `1 - 1` needs it. */
  private unary(): ASTNode {
    const { kind, start } = this.tokens;
    if (kind !== "NOT" && kind !== "MINUS") return this.postfix();
    this.tokens.next();
    const operand = this.unary();
    return this.node(kind === "NOT" ? "!_" : "-_", start, operand.end, operand);
  }

  private postfix(): ASTNode {
    let target = this.primary();
    const depth = this.depthLeft;
    for (;;) {
      const { start } = this.tokens;
      if (this.skip("DOT")) {
        this.deeper(start);
        target = this.member(target);
      } else if (this.skip("LBRACKET")) {
        this.deeper(start);
        const index = this.expression();
        target = this.node("[]", target.start, this.expect("RBRACKET"), [target, index]);
      } else break;
    }
    this.depthLeft = depth;
    return target;
  }

  private member(target: ASTNode): ASTNode {
    const name = String(this.tokens.value);
    const end = this.expect("IDENTIFIER");
    if (!this.skip("LPAREN")) return this.node(".", target.start, end, [target, name]);
    const args = this.sequence("RPAREN", "maxCallArguments", () => this.expression());
    const call = this.node("rcall", target.start, this.expect("RPAREN"), [name, target, args]);
    const [variable] = args;
    const binding = BINDING.get(`${name}/${args.length}`);
    if (binding === undefined || variable === undefined || variable.op === "id") return call;
    throw new SyntaxProblem(`${binding} invalid predicate iteration variable`, placeOf(variable));
  }

  private primary(): ASTNode {
    const { kind, start, end, value } = this.tokens;
    switch (kind) {
      case "NUMBER":
      case "STRING":
      case "BYTES":
      case "BOOLEAN":
      case "NULL": {
        const literal = this.node("value", start, end, value);
        this.tokens.next();
        return literal;
      }
      case "IDENTIFIER":
        return this.named(String(value), start, end);
      case "LPAREN": {
        this.tokens.next();
        const inner = this.expression();
        this.expect("RPAREN");
        return inner;
      }
      case "LBRACKET": {
        this.tokens.next();
        const items = this.sequence("RBRACKET", "maxListElements", () => this.expression());
        return this.node("list", start, this.expect("RBRACKET"), items);
      }
      case "LBRACE": {
        this.tokens.next();
        const entries = this.sequence("RBRACE", "maxMapEntries", () => this.entry());
        return this.node("map", start, this.expect("RBRACE"), entries);
      }
      default:
        throw new SyntaxProblem(`Unexpected token: ${kind}`, start);
    }
  }

  private named(name: string, start: number, end: number): ASTNode {
    this.tokens.next();
    if (RESERVED.has(name)) throw new SyntaxProblem(`Reserved identifier: ${name}`, start);
    if (!this.skip("LPAREN")) return this.node("id", start, end, name);
    const args = this.sequence("RPAREN", "maxCallArguments", () => this.expression());
    return this.node("call", start, this.expect("RPAREN"), [name, args]);
  }

  private entry(): readonly [ASTNode, ASTNode] {
    const key = this.expression();
    this.expect("COLON");
    return [key, this.expression()];
  }

  /** Separated by commas, also after the last. */
  private sequence<T extends ASTNode | readonly [ASTNode, ASTNode]>(
    closing: TokenKind,
    limit: Limit,
    read: () => T,
  ): T[] {
    const items: T[] = [];
    while (this.tokens.kind !== closing) {
      const item = read();
      if (items.length === LIMITS[limit]) exceeded(limit, placeOf("op" in item ? item : item[0]));
      items.push(item);
      if (!this.skip("COMMA")) break;
    }
    return items;
  }

  private skip(kind: TokenKind): boolean {
    if (this.tokens.kind !== kind) return false;
    this.tokens.next();
    return true;
  }

  /** @returns where the token ended */
  private expect(kind: TokenKind): number {
    const { kind: found, start, end } = this.tokens;
    if (found !== kind) throw new SyntaxProblem(`Expected ${kind}, got ${found}`, start);
    this.tokens.next();
    return end;
  }

  private node<Op extends Operator>(
    op: Op,
    start: number,
    end: number,
    args: NodeOf<Op>["args"],
  ): Extract<ASTNode, { readonly op: Op }>;
  private node(op: Operator, start: number, end: number, args: unknown): unknown {
    const node = { op, args, input: this.input, start, end };
    if (this.nodesLeft === 0) exceeded("maxAstNodes", placeOf(node as ASTNode));
    this.nodesLeft -= 1;
    return node;
  }
}

function placeOf(node: ASTNode): number {
  return node.op === "." ? node.end - node.args[1].length : node.start;
}

function exceeded(limit: Limit, at: number): never {
  throw new SyntaxProblem(`Exceeded ${limit} (${LIMITS[limit]})`, at, "condition-too-large");
}
