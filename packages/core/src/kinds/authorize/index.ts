/** The kind `authorize`: what a caller must be, and must not be, to reach the handler (`authorize`, and `require` of groups). */
import type { Kind } from "../../model/kind.js";
import { checkAuthorize } from "./check.js";
import { compileAuthorize } from "./compile.js";

export const authorizeKind: Kind = {
  name: "authorize",
  check: checkAuthorize,
  compile: compileAuthorize,
};
