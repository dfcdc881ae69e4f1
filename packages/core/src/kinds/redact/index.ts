/** The kind `redact`: what an answer may contain. Undeclared parts do not leave, declared ones leave as the policy says. */
import type { CompiledKind, Kind } from "../../model/kind.js";
import type { ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";
import { checkRedact } from "./check.js";

export const redactKind: Kind = {
  name: "redact",
  check: checkRedact,
  // Loaded with the first policy that says something of answers.
  compile: async (policy, environment) =>
    isAsked(policy) ? (await import("./compile.js")).compileRedact(policy, environment) : NOTHING_SAID,
};

/** The key of hashes is looked up even where nothing is hashed: where it is missing is told. */
function isAsked({ document, routes, unmatched }: ResolvedPolicy): boolean {
  return document.redaction !== undefined || saysWhatLeaves(unmatched) || routes.some(saysWhatLeaves);
}

function saysWhatLeaves({ response }: ResolvedRoute): boolean {
  const { nothing, body, bodies, events, redact } = response;
  return [nothing, body, bodies, events, redact].some((said) => said !== undefined);
}

const NOTHING_SAID: CompiledKind = {
  // A rule that is missing would let out what was to stay.
  bodyRule: (route) => {
    if (saysWhatLeaves(route)) throw new Error("a route says what leaves, and nothing was loaded for it");
    return undefined;
  },
};
