/** The kind `shed`: who is turned away while this process has more to do than it can. */
import type { Kind } from "../../model/kind.js";
import { checkShed } from "./check.js";
import { compileShed } from "./compile.js";

export const shedKind: Kind = {
  name: "shed",
  check: checkShed,
  compile: compileShed,
};
