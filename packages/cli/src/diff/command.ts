/** `gatehouse diff`: what changes between two policies. */
import type { Command } from "../cli/command.js";
import { DIFF_FORMATS } from "./choices.js";

export const diffCommand: Command = {
  name: "diff",
  summary: "what changes between two policies, each change with a request that shows it",
  usage: ["OLD NEW [--format FORMAT] [--fail-on WHAT]"],
  operands: { least: 2, most: 2, what: "an old and a new policy file" },
  about:
    "Per route and aspect: same, wider, narrower, changed both ways, or undecided. What is not the same comes with a request and a person whose outcome differs, " +
    "put to the real engine of both policies before it is told; what could not be shown is undecided, with the reason. No secret is needed. " +
    "With --fail-on it exits with 1 where a verdict is of that kind.",
  options: {
    format: { type: "text", choices: DIFF_FORMATS, help: "Default pretty." },
    json: { type: "flag", help: "Short for --format json." },
    "fail-on": {
      type: "text",
      value: "WHAT[,WHAT]",
      help: "wider (what is changed both ways or undecided may be wider too), changed (whatever is not the same), undecided. Default: 0 whatever is found.",
    },
  },
  examples: [
    "gatehouse diff old.jsonc policy.jsonc",
    "gatehouse diff old.jsonc policy.jsonc --fail-on wider",
    "git show main:policy.jsonc | gatehouse diff - policy.jsonc --format markdown",
  ],
  run: async (input, io) => (await import("./run.js")).runDiff(input, io),
};
