/** The kind `record`: what of a request goes on the record, and whether a request waits until it does. */
import type { Kind } from "../../model/kind.js";
import { checkRecord } from "./check.js";
import { compileRecord } from "./compile.js";

export const recordKind: Kind = {
  name: "record",
  check: checkRecord,
  compile: compileRecord,
};
