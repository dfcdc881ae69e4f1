/** What the parser makes of a text: one node for each construct of the language, with its place. */

export type BinaryOperator = "!=" | "==" | "in" | "+" | "-" | "*" | "/" | "%" | "<" | "<=" | ">" | ">=";

type Pair = readonly [ASTNode, ASTNode];

interface ArgsOf {
  readonly value: Literal;
  readonly id: string;
  readonly ".": readonly [target: ASTNode, name: string];
  readonly "[]": Pair;
  readonly call: readonly [name: string, args: readonly ASTNode[]];
  readonly rcall: readonly [name: string, target: ASTNode, args: readonly ASTNode[]];
  readonly list: readonly ASTNode[];
  readonly map: readonly Pair[];
  readonly "?:": readonly [ASTNode, ASTNode, ASTNode];
  readonly "||": Pair;
  readonly "&&": Pair;
  readonly "!_": ASTNode;
  readonly "-_": ASTNode;
}

type AllArgs = ArgsOf & Readonly<Record<BinaryOperator, Pair>>;

export type Operator = keyof AllArgs;

interface Place {
  /** The whole text that was parsed. */
  readonly input: string;
  /** Parentheses around a part are none of it. */
  readonly start: number;
  readonly end: number;
}

export interface NodeOf<Op extends Operator> extends Place {
  readonly op: Op;
  readonly args: AllArgs[Op];
}

export type ASTNode = { readonly [Op in Operator]: NodeOf<Op> }[Operator];

/** An int is a bigint until its range was looked at, a double a number. Unsigned integers and bytes are read to be refused. */
export type Literal = string | number | bigint | boolean | null | Uint8Array | Unsigned;

export class Unsigned {
  constructor(private readonly value: bigint) {}

  toString(): string {
    return String(this.value);
  }
}
