/** From arguments to what a command was told. Node's own parser splits them; what they may be is our table's to say. */
import { parseArgs } from "node:util";
import { choiceHelp } from "../lib/near.js";
import type { Command, OptionSpec, Options } from "./command.js";
import { UsageError } from "./io.js";

/** What was given, by option. Reading an option that the command does not have is a bug, and throws. */
export class Input {
  constructor(
    readonly operands: readonly string[],
    private readonly options: Options,
    private readonly given: ReadonlyMap<string, readonly string[]>,
  ) {}

  flag(name: string): boolean {
    return this.valuesOf(name, "flag").length > 0;
  }

  text(name: string): string | undefined {
    return this.valuesOf(name, "text").at(-1);
  }

  texts(name: string): readonly string[] {
    return this.valuesOf(name, "text");
  }

  has(name: string): boolean {
    return this.given.has(name);
  }

  private valuesOf(name: string, type: OptionSpec["type"]): readonly string[] {
    if (this.options[name]?.type !== type) throw new Error(`no option \`${name}\` of type ${type}`);
    return this.given.get(name) ?? [];
  }
}

/** Every command has these. */
export const COMMON_OPTIONS: Options = {
  help: { type: "flag", short: "h", help: "Show this help." },
};

/** @throws UsageError naming what is wrong, with the nearest that there is */
export function readInput(command: Command, args: readonly string[]): Input {
  const options: Options = { ...command.options, ...COMMON_OPTIONS };
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(Object.entries(options).map(nodeOption)),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const given = new Map<string, string[]>();
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const spec = specOf(options, token.name, token.rawName);
    const value = valueOf(spec, token);
    const before = given.get(token.name) ?? [];
    if (before.length > 0 && spec.multiple !== true && spec.type === "text")
      throw new UsageError(`\`${token.rawName}\` is given twice`);
    given.set(token.name, [...before, value]);
  }
  const input = new Input(operands, options, given);
  if (!input.flag("help")) countOperands(command, operands);
  return input;
}

function nodeOption([name, { type, short }]: [string, OptionSpec]): [
  string,
  { type: "string" | "boolean"; short?: string; multiple: boolean },
] {
  const kind = type === "flag" ? "boolean" : "string";
  return [name, { type: kind, multiple: true, ...(short === undefined ? {} : { short }) }];
}

function specOf(options: Options, name: string, rawName: string): OptionSpec {
  const spec = Object.hasOwn(options, name) ? options[name] : undefined;
  if (spec !== undefined) return spec;
  const known = Object.keys(options).map((one) => `--${one}`);
  throw new UsageError(`unknown option \`${rawName}\``, choiceHelp(rawName, known, "options"));
}

function valueOf(
  spec: OptionSpec,
  token: {
    readonly rawName: string;
    readonly value?: string | undefined;
    readonly inlineValue?: boolean | undefined;
  },
): string {
  const { rawName, value, inlineValue } = token;
  if (spec.type === "flag") {
    if (value !== undefined) throw new UsageError(`\`${rawName}\` takes no value`);
    return "";
  }
  if (value === undefined) throw new UsageError(`\`${rawName}\` needs a value`);
  // `--header --method` is a value that was forgotten far more often than one that begins with a dash.
  if (inlineValue !== true && value.startsWith("-") && value !== "-")
    throw new UsageError(
      `\`${rawName}\` needs a value`,
      `one that begins with a dash is written \`${rawName}=${value}\``,
    );
  if (spec.choices !== undefined && !spec.choices.includes(value))
    throw new UsageError(`\`${rawName}\` cannot be \`${value}\``, choiceHelp(value, spec.choices, "choices"));
  return value;
}

function countOperands(
  { name, operands: { least, most, what } }: Command,
  operands: readonly string[],
): void {
  if (operands.length < least) throw new UsageError(`\`${name}\` needs ${what}`);
  const extra = operands[most];
  if (extra !== undefined)
    throw new UsageError(`\`${name}\` takes only ${what}: \`${extra}\` is one too many`);
}
