/** The kind `redact`: what an answer may contain. Undeclared parts do not leave, declared ones leave as the policy says. */
import type { Kind } from "../../model/kind.js";
import { checkRedact } from "./check.js";
import { compileRedact } from "./compile.js";

export const redactKind: Kind = {
  name: "redact",
  check: checkRedact,
  compile: compileRedact,
};
