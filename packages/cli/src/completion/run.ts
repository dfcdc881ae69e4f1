/** `gatehouse completion`: a shell that knows the commands and their options. */
import type { Input } from "../cli/input.js";
import { EXIT, UsageError, type Io } from "../cli/io.js";
import { choiceHelp } from "../lib/near.js";
import { SHELLS, type Shell } from "./choices.js";
import { completionScript } from "./script.js";

export async function runCompletion(input: Input, io: Io): Promise<number> {
  const [name = ""] = input.operands;
  const shell = SHELLS.find((one) => one === name);
  if (shell === undefined)
    throw new UsageError(`there is no script for \`${name}\``, choiceHelp(name, SHELLS, "shells"));
  io.out(await completionFor(shell));
  return EXIT.ok;
}

/** A script by which a shell completes commands, options and their choices. */
export async function completionFor(shell: Shell): Promise<string> {
  // When it is called: the table names this command, so this file must not need the table to be loaded.
  const { COMMANDS } = await import("../cli/main.js");
  return completionScript(shell, COMMANDS);
}
