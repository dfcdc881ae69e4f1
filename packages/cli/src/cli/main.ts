/** Which command is meant, and what becomes of its outcome. */
import { auditCommand } from "../audit/command.js";
import { bundleCommand } from "../bundle/command.js";
import { checkCommand } from "../check/command.js";
import { completionCommand } from "../completion/command.js";
import { diffCommand } from "../diff/command.js";
import { doctorCommand } from "../doctor/command.js";
import { explainCommand } from "../explain/command.js";
import { initCommand } from "../init/command.js";
import { keyCommand } from "../key/command.js";
import { logCommand } from "../log/command.js";
import { matrixCommand } from "../matrix/command.js";
import { openapiCommand } from "../openapi/command.js";
import { probeCommand } from "../probe/command.js";
import { replayCommand } from "../replay/command.js";
import { testCommand } from "../test/command.js";
import { choiceHelp } from "../lib/near.js";
import { printable } from "../lib/printable.js";
import { version } from "../lib/version.js";
import type { Command } from "./command.js";
import { helpOf, overview } from "./help.js";
import { readInput } from "./input.js";
import { EXIT, UsageError, type Io } from "./io.js";

export const COMMANDS: readonly Command[] = [
  auditCommand,
  bundleCommand,
  checkCommand,
  completionCommand,
  diffCommand,
  doctorCommand,
  explainCommand,
  initCommand,
  keyCommand,
  logCommand,
  matrixCommand,
  openapiCommand,
  probeCommand,
  replayCommand,
  testCommand,
];

/** @returns the exit code; nothing is thrown, whatever the arguments are */
export async function main(args: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = args;
  try {
    return await dispatch(name, rest, io);
  } catch (error) {
    if (error instanceof UsageError)
      return tellUsage(error, io, COMMANDS.some((one) => one.name === name) ? name : undefined);
    io.err(
      `gatehouse broke; this is a bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    return EXIT.broken;
  }
}

async function dispatch(name: string | undefined, rest: readonly string[], io: Io): Promise<number> {
  if (name === undefined || name === "--help" || name === "-h") return show(overview(COMMANDS), io);
  if (name === "--version" || name === "-v" || name === "version") return show(`${version()}\n`, io);
  if (name === "help") {
    const [about] = rest;
    return show(about === undefined ? overview(COMMANDS) : helpOf(commandNamed(about)), io);
  }
  const command = commandNamed(name);
  const input = readInput(command, rest);
  if (input.flag("help")) return show(helpOf(command), io);
  return await command.run(input, io);
}

function show(text: string, io: Io): number {
  io.out(text);
  return EXIT.ok;
}

/** @throws UsageError with the nearest that there is */
function commandNamed(name: string): Command {
  const command = COMMANDS.find((one) => one.name === name);
  if (command !== undefined) return command;
  if (name.startsWith("-"))
    throw new UsageError(
      `unknown option \`${name}\``,
      choiceHelp(name, ["--help", "--version"], "options without a command"),
    );
  throw new UsageError(
    `unknown command \`${name}\``,
    choiceHelp(
      name,
      COMMANDS.map((one) => one.name),
      "commands",
    ),
  );
}

function tellUsage({ message, help }: UsageError, io: Io, command: string | undefined): number {
  const more = command === undefined ? "gatehouse --help" : `gatehouse ${command} --help`;
  const helped = help === undefined ? "" : `  help: ${help}\n`;
  io.err(printable(`gatehouse: ${message}\n${helped}  see: ${more}\n`));
  return EXIT.usage;
}
