/** The kind `shed`: who is turned away while this process has more to do than it can. */
import type { Kind } from "../../model/kind.js";
import { checkShed } from "./check.js";

export const shedKind: Kind = {
  name: "shed",
  check: checkShed,
  // Loaded with the first policy that sheds.
  compile: async (policy, environment) =>
    policy.document.shed === undefined ? {} : (await import("./compile.js")).compileShed(policy, environment),
};
