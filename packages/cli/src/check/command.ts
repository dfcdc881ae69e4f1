/** `gatehouse check`: is this a policy that can be served? */
import type { Command } from "../cli/command.js";

export const checkCommand: Command = {
  name: "check",
  summary: "all problems of policy files, each with its place and its mend",
  usage: ["[FILE…] [options]"],
  operands: { least: 0, most: Infinity, what: "a policy file (`-` is the standard input)" },
  about:
    "Reads nothing but the files: no secret, no network, no other file. What only the environment can tell (a secret that is not set, a key file that does not parse) is told when the policy is loaded. " +
    "Exits with 0 when there is no error, with 1 when there is one (with --deny-warnings: or a warning), with 2 when a file cannot be read. Without a file it is gatehouse.policy.jsonc of the current folder.",
  options: {
    format: {
      type: "text",
      choices: ["pretty", "json", "sarif"],
      help: "`pretty` (default) for readers, `json`, or `sarif` (2.1.0) for code scanning.",
    },
    json: { type: "flag", help: "Short for --format json." },
    "deny-warnings": { type: "flag", help: "Warnings fail the check too." },
  },
  examples: [
    "gatehouse check policy.jsonc",
    "gatehouse check policies/*.json --deny-warnings",
    "gatehouse check policy.jsonc --format sarif > gatehouse.sarif",
  ],
  run: async (input, io) => (await import("./run.js")).runCheck(input, io),
};
