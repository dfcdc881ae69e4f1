/** The kind `error-shape`: what a refusal looks like on the wire, and the correlation id on every answer. */
import type { Kind } from "../../model/kind.js";
import { checkErrors } from "./check.js";
import { compileErrorShape } from "./compile.js";

export const errorShapeKind: Kind = {
  name: "error-shape",
  check: checkErrors,
  compile: (policy) => compileErrorShape(policy),
};
