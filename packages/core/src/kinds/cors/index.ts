/** The kind `cors`: which pages of other origins may read answers (Fetch standard, CORS protocol). */
import type { Kind } from "../../model/kind.js";
import { checkCors } from "./check.js";
import { compileCors } from "./compile.js";

export const corsKind: Kind = {
  name: "cors",
  check: checkCors,
  compile: (policy) => compileCors(policy),
};
