/** Help of the whole and of each command, written from the same table that reads the options. */
import type { Command, OptionSpec } from "./command.js";
import { COMMON_OPTIONS } from "./input.js";

const WIDTH = 100;

export function overview(commands: readonly Command[]): string {
  const widest = Math.max(...commands.map(({ name }) => name.length));
  return [
    "gatehouse: check, explain and review an API's security policy, without a server",
    "",
    "usage: gatehouse <command> [options]",
    "",
    "commands:",
    ...commands.map(({ name, summary }) => `  ${name.padEnd(widest)}  ${summary}`),
    "",
    "`gatehouse <command> --help` shows the options and examples of one. `gatehouse --version` shows the version.",
    "exit codes: 0 all is well, 1 something was found, 2 wrong usage or an unreadable file, 3 a bug of gatehouse",
    "",
  ].join("\n");
}

export function helpOf(command: Command): string {
  const { name, usage, about, options, examples } = command;
  const forms = usage.map((form, index) =>
    `${index === 0 ? "usage:" : "      "} gatehouse ${name} ${form}`.trimEnd(),
  );
  return [
    ...forms,
    "",
    ...wrap(about, WIDTH),
    "",
    "options:",
    ...Object.entries({ ...options, ...COMMON_OPTIONS }).flatMap(optionLines),
    "",
    "examples:",
    ...examples.map((example) => `  ${example}`),
    "",
  ].join("\n");
}

const INDENT = 30;

function optionLines([name, spec]: [string, OptionSpec]): string[] {
  const head = headOf(name, spec);
  const [first = "", ...rest] = wrap(spec.help, WIDTH - INDENT);
  const lines = head.length < INDENT - 1 ? [head.padEnd(INDENT) + first] : [head, " ".repeat(INDENT) + first];
  return [...lines, ...rest.map((line) => " ".repeat(INDENT) + line)];
}

function headOf(name: string, { short, choices, value, type }: OptionSpec): string {
  const long = short === undefined ? `      --${name}` : `  -${short}, --${name}`;
  return type === "flag" ? long : `${long} ${choices?.join("|") ?? value ?? "TEXT"}`;
}

export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split("\n")) {
    let line = "";
    for (const word of paragraph.split(" ")) {
      if (line !== "" && line.length + 1 + word.length > width) {
        lines.push(line);
        line = word;
      } else line = line === "" ? word : `${line} ${word}`;
    }
    lines.push(line);
  }
  return lines;
}
