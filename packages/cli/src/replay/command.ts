/** `gatehouse replay`: recorded decisions against a candidate policy. */
import type { Command } from "../cli/command.js";
import { FAILING, REPLAY_FORMATS } from "./choices.js";

export const replayCommand: Command = {
  name: "replay",
  summary: "what a candidate policy would have said of decisions that were recorded",
  usage: ["LOG POLICY [--served FILE]... [--format FORMAT] [--fail-on WHAT] [--examples N]"],
  operands: { least: 2, most: 2, what: "a log of decisions and a policy file" },
  about:
    "Each recorded decision is newly admitted, newly refused, refused with a changed code, the same, or unknown: the candidate reads what was not recorded. " +
    "Nothing is guessed, and no secret is needed. The log holds the policies that decided (`jsonLines` writes them), or they are named by --served. " +
    "With --fail-on it exits with 1 where a decision is of that kind, or there is none at all.",
  options: {
    served: {
      type: "text",
      value: "FILE",
      multiple: true,
      help: "A policy that decided, for a log that does not hold it; may be repeated.",
    },
    format: { type: "text", choices: REPLAY_FORMATS, help: "Default pretty." },
    json: { type: "flag", help: "Short for --format json." },
    "fail-on": {
      type: "text",
      value: "WHAT[,WHAT]",
      help: `${Object.keys(FAILING).join(", ")}. Default: 0 whatever is found.`,
    },
    examples: {
      type: "text",
      value: "N",
      help: "Decisions that are named of each finding, up to 1000. Default 3.",
    },
  },
  examples: [
    "gatehouse replay decisions.jsonl policy.jsonc",
    "gatehouse replay decisions.jsonl policy.jsonc --fail-on newly-admitted,unknown",
    "zcat decisions.jsonl.*.gz | gatehouse replay - policy.jsonc --json",
  ],
  run: async (input, io) => (await import("./run.js")).runReplay(input, io),
};
