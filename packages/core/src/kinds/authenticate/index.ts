/** The kind `authenticate`: who calls, as the document's authenticators vouch for it. */
import type { Kind } from "../../model/kind.js";
import { checkAuthenticate } from "./check.js";
import { compileAuthenticate } from "./compile.js";

export const authenticateKind: Kind = {
  name: "authenticate",
  check: checkAuthenticate,
  compile: compileAuthenticate,
};
