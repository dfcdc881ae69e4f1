#!/usr/bin/env node
/** The command `gatehouse`. */
import { EXIT, processIo } from "./cli/io.js";
import { main } from "./cli/main.js";

// A reader that has seen enough, such as `head`, closes the pipe. Not 0: nobody was told whether something was found.
const CLOSED_PIPE = 128 + 13;
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? CLOSED_PIPE : EXIT.broken);
});

// Not `process.exit`: what is still on its way into a pipe would be cut off.
void main(process.argv.slice(2), processIo()).then((code) => {
  process.exitCode = code;
});
