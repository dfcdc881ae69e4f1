/** The kind `headers`: what every answer of a route carries besides its own, refusals included. */
import type { Kind } from "../../model/kind.js";
import { checkHeaders } from "./check.js";
import { compileHeaders } from "./compile.js";

export const headersKind: Kind = {
  name: "headers",
  check: checkHeaders,
  compile: () => compileHeaders(),
};
