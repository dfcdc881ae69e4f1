/** Options of commands that take a request as another program wrote it down. */
import type { OptionSpec } from "../cli/command.js";

export const CAPTURED = {
  curl: {
    type: "text",
    value: "COMMAND",
    help: "A curl command line, pasted in. `-` reads it from the standard input.",
  },
  har: { type: "text", value: "FILE", help: "An HTTP archive, as browsers save it." },
  entry: { type: "text", value: "N", help: "Which entry of the archive, from 1." },
} as const satisfies Readonly<Record<string, OptionSpec>>;
