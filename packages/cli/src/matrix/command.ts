/** `gatehouse matrix`: who may call what. */
import type { Command } from "../cli/command.js";
import { MATRIX_FORMATS } from "./choices.js";

export const matrixCommand: Command = {
  name: "matrix",
  summary: "who may call what: every route for anonymous callers, callers without roles, and each role",
  usage: ["[POLICY] [--format FORMAT] [--check FILE]"],
  operands: { least: 0, most: 1, what: "a policy file" },
  about:
    "Every cell is asked of the real engine, with throwaway credentials, so no secret is needed: allow, refuse with status and code, or allow under a condition, which is stated. " +
    "With --check a reviewed matrix is compared with what the policy says now: 0 where nothing changed, 1 with every changed cell where something did. Without a file it is gatehouse.policy.jsonc of the current folder.",
  options: {
    format: {
      type: "text",
      choices: MATRIX_FORMATS,
      help: "Default markdown; with --check what the file's name ends in (.md, .csv, .json).",
    },
    json: { type: "flag", help: "Short for --format json." },
    check: {
      type: "text",
      value: "FILE",
      help: "A reviewed matrix, in Markdown, CSV or JSON, to compare with.",
    },
  },
  examples: [
    "gatehouse matrix policy.jsonc > access.md",
    "gatehouse matrix policy.jsonc --check access.md",
    "gatehouse matrix policy.jsonc --format html > access.html",
  ],
  run: async (input, io) => (await import("./run.js")).runMatrix(input, io),
};
