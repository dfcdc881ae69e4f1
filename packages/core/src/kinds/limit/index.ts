/** The kind `limit`: how often, how much, and how many at once. */
import type { Kind } from "../../model/kind.js";
import { checkLimits } from "./check.js";
import { compileLimits } from "./compile.js";

export const limitKind: Kind = {
  name: "limit",
  check: checkLimits,
  compile: compileLimits,
};
