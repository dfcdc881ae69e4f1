/** `gatehouse completion`: a shell that knows the commands and their options. */
import type { Command } from "../cli/command.js";
import { SHELLS } from "./choices.js";

export const completionCommand: Command = {
  name: "completion",
  summary: "a script by which bash, zsh or fish completes commands, options and their choices",
  usage: [SHELLS.join("|")],
  operands: { least: 1, most: 1, what: `one of ${SHELLS.join(", ")}` },
  about:
    "Prints the script, which a shell reads when it starts. It is written from the same table that reads the options, calls no gatehouse, and names files where an option or a command takes one.",
  options: {},
  examples: [
    "source <(gatehouse completion bash)",
    "gatehouse completion zsh > ~/.zfunc/_gatehouse",
    "gatehouse completion fish > ~/.config/fish/completions/gatehouse.fish",
  ],
  run: async (input, io) => (await import("./run.js")).runCompletion(input, io),
};
