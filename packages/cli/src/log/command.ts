/** `gatehouse log`: looks at logs of decisions. */
import { ALGORITHMS } from "../bundle/choices.js";
import type { Command } from "../cli/command.js";

export const logCommand: Command = {
  name: "log",
  summary: "verifies that a chained log of decisions is what was written",
  usage: ["verify FILE... --key FILE [--kid KID] [--alg ALG] [--json]"],
  operands: { least: 2, most: 1000, what: "`verify` and the files of a log, oldest first" },
  about:
    "A chained log (`chain` of `jsonLines`) carries in each line the hash of the one before it, and signed heads between. `verify` exits with 1 where a line was " +
    "changed, removed, added or moved, or a head was signed by another key. Lines behind the last head are named: of them nobody can tell.",
  options: {
    key: {
      type: "text",
      value: "FILE",
      help: "The public key, or a set of them: PEM or JSON Web Keys. `-` is the standard input.",
    },
    kid: { type: "text", value: "KID", help: "Name of the key. Default: what the JSON Web Key says." },
    alg: {
      type: "text",
      choices: ALGORITHMS,
      help: "The algorithm. Default: what the JSON Web Key says, or the usual one for its type.",
    },
    json: { type: "flag", help: "The verdict as JSON." },
  },
  examples: ["gatehouse log verify decisions.jsonl.1 decisions.jsonl --key log-key.jwk"],
  run: async (input, io) => (await import("./run.js")).runLog(input, io),
};
