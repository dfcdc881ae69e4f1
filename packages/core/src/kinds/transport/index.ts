/** The kind `transport`: how a request must have arrived before anything else about it is judged. */
import type { Kind } from "../../model/kind.js";
import { checkTransport } from "./check.js";
import { compileTransport } from "./compile.js";

export const transportKind: Kind = {
  name: "transport",
  check: checkTransport,
  compile: (policy) => compileTransport(policy),
};
