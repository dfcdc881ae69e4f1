/** The kind `sanitize`: texts with markup, on the way in and on the way out, are reduced to what a profile names. */
import type { CompiledKind, Kind } from "../../model/kind.js";
import type { ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";
import { checkSanitize } from "./check.js";

export const sanitizeKind: Kind = {
  name: "sanitize",
  check: checkSanitize,
  // Loaded with the first policy that has something sanitized.
  compile: async (policy, environment) =>
    isAsked(policy) ? (await import("./compile.js")).compileSanitize(policy, environment) : NOTHING_SAID,
};

function isAsked({ routes, unmatched }: ResolvedPolicy): boolean {
  return sanitizes(unmatched) || routes.some(sanitizes);
}

function sanitizes({ request, response }: ResolvedRoute): boolean {
  return request.sanitize !== undefined || response.sanitize !== undefined;
}

const NOTHING_SAID: CompiledKind = {
  stages: (route) => {
    if (sanitizes(route)) throw new Error("a route sanitizes, and nothing was loaded for it");
    return [];
  },
};
