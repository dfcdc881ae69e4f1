/** The kind `csrf`: whether a credential that browsers send by themselves was sent on the user's behalf. */
import type { Kind } from "../../model/kind.js";
import { checkCsrf } from "./check.js";
import { compileTokens } from "./compile-tokens.js";
import { compileCsrf } from "./compile.js";

export const csrfKind: Kind = {
  name: "csrf",
  check: checkCsrf,
  compile: async (policy, environment) => compileCsrf(await compileTokens(policy, environment)),
};
