/** The kind `validate`: what may come in, as parameters and as body. */
import type { Kind } from "../../model/kind.js";
import { checkValidate } from "./check.js";
import { compileValidate } from "./compile.js";

export const validateKind: Kind = {
  name: "validate",
  check: checkValidate,
  compile: compileValidate,
};
