/** The kind `sanitize`: texts with markup, on the way in and on the way out, are reduced to what a profile names. */
import type { Kind } from "../../model/kind.js";
import { checkSanitize } from "./check.js";
import { compileSanitize } from "./compile.js";

export const sanitizeKind: Kind = {
  name: "sanitize",
  check: checkSanitize,
  compile: compileSanitize,
};
