/** Another implementation of CEL, to be asked what ours should have said: its parser, its type checker and its evaluator. */
import { Environment } from "@marcbachmann/cel-js";
import type { ASTNode } from "./ast.js";
import { isRejection, parse } from "./parse.js";
import type { Vocabulary } from "./roots.js";
import type { CelType, RecordType } from "./types.js";

const LIMITS = {
  maxAstNodes: 1000,
  maxDepth: 64,
  maxListElements: 500,
  maxMapEntries: 100,
  maxCallArguments: 32,
};

/** Roots whose names need not be identifiers, so that presence is asked with `in`. */
const ASKED_BY_NAME = ["query", "headers", "cookies"];

export interface Library {
  readonly environment: Environment;
  /** An object of a type of the scope. Records are told apart by their constructors there. */
  readonly instance: (type: RecordType, fields: object) => object;
}

/** Conversions of standard CEL that the library does not declare. */
const MISSING_CONVERSIONS = [
  "int(google.protobuf.Timestamp): int",
  "string(google.protobuf.Timestamp): string",
  "string(google.protobuf.Duration): string",
  "timestamp(google.protobuf.Timestamp): google.protobuf.Timestamp",
  "duration(google.protobuf.Duration): google.protobuf.Duration",
];

let base: Environment | undefined;

export function baseEnvironment(): Environment {
  if (base !== undefined) return base;
  const environment = new Environment({ limits: LIMITS });
  // Numbers compare by value across int and double, also where both types are known.
  environment.registerOperator("int == double", (a: bigint, b: number) => Number(a) === b);
  for (let ranges = 1; ranges < LIMITS.maxCallArguments; ranges += 1) {
    environment.registerFunction(
      `inRange(${Array.from({ length: ranges + 1 }, () => "string").join(", ")}): bool`,
      () => false,
    );
  }
  for (const signature of MISSING_CONVERSIONS) environment.registerFunction(signature, () => undefined);
  base = environment;
  return environment;
}

/** @param text what is to be asked: the library knows no records that are open, so each member that it names is declared */
export function libraryFor(vocabulary: Vocabulary, text: string): Library {
  const ast = parse(text);
  if (isRejection(ast)) throw new Error(ast.message);
  const asked = [...namesIn(ast)];
  const environment = baseEnvironment().clone();
  const constructors = new Map<RecordType, new () => object>();
  const types = new Types(vocabulary);
  for (const [record, name] of types.names) {
    const fields = Object.create(null) as Record<string, string>;
    if (record.others !== undefined) for (const one of asked) fields[one] = types.nameOf(record.others);
    for (const [field, type] of record.fields) fields[field] = types.nameOf(type);
    const ctor = class extends Object {};
    constructors.set(record, ctor);
    environment.registerType(name, { ctor, fields });
    if (ASKED_BY_NAME.includes(record.title)) environment.registerOperator(`string in ${name}`, () => false);
  }
  for (const root of vocabulary.roots.values())
    environment.registerVariable(root.name, types.nameOf({ kind: "record", record: root.record }));
  if (vocabulary.body !== undefined) environment.registerVariable("body", types.nameOf(vocabulary.body.type));
  return {
    environment,
    instance: (type, fields) => Object.assign(new (constructors.get(type) ?? Object)(), fields),
  };
}

/** Every record type that can be reached, with a name for it. */
class Types {
  readonly names = new Map<RecordType, string>();

  constructor({ roots, body }: Vocabulary) {
    for (const { record } of roots.values()) this.reach({ kind: "record", record });
    if (body !== undefined) this.reach(body.type);
  }

  nameOf(type: CelType): string {
    switch (type.kind) {
      case "list":
        return `list<${this.nameOf(type.of)}>`;
      case "map":
        return `map<string, ${this.nameOf(type.of)}>`;
      case "record":
        return this.names.get(type.record) ?? "";
      case "timestamp":
        return "google.protobuf.Timestamp";
      case "duration":
        return "google.protobuf.Duration";
      default:
        return type.kind;
    }
  }

  private reach(type: CelType): void {
    if (type.kind === "list" || type.kind === "map") return this.reach(type.of);
    if (type.kind !== "record" || this.names.has(type.record)) return;
    this.names.set(type.record, `Record${this.names.size}`);
    const { fields, others }: RecordType = type.record;
    for (const field of fields.values()) this.reach(field);
    if (others !== undefined) this.reach(others);
  }
}

/** Members that an expression names anywhere. */
function namesIn(ast: ASTNode, names: Set<string> = new Set()): Set<string> {
  if (ast.op === ".") names.add(ast.args[1]);
  if (ast.op === "[]" && ast.args[1].op === "value" && typeof ast.args[1].args === "string")
    names.add(ast.args[1].args);
  for (const part of partsOf(ast)) namesIn(part, names);
  return names;
}

function partsOf(ast: ASTNode): readonly ASTNode[] {
  switch (ast.op) {
    case "value":
    case "id":
      return [];
    case ".":
      return [ast.args[0]];
    case "call":
      return ast.args[1];
    case "rcall":
      return [ast.args[1], ...ast.args[2]];
    case "map":
      return ast.args.flat();
    case "!_":
    case "-_":
      return [ast.args];
    default:
      return ast.args;
  }
}
