/**
 * Libraries that some policies need and others do not, on Node: loaded when the first policy needs one, as reading them is a quarter of
 * what importing this package costs. By `require`, since checking a policy is synchronous.
 */
import { createRequire } from "node:module";
import type { parse } from "@humanwhocodes/momoa";
import type { RE2JS } from "re2js";
import type * as StructuredFields from "structured-headers";

/** Resolved from where this package stands: under pnpm nobody else sees what it declares. */
function loading<Library>(name: string): () => Library {
  let loaded: Library | undefined;
  return () => (loaded ??= createRequire(import.meta.url)(name) as Library);
}

const re2 = loading<{ readonly RE2JS: typeof RE2JS }>("re2js");
const momoa = loading<{ readonly parse: typeof parse }>("@humanwhocodes/momoa");

export const linearPatterns = (): typeof RE2JS => re2().RE2JS;
export const jsonTree = (): typeof parse => momoa().parse;
export const structuredFields: () => typeof StructuredFields = loading("structured-headers");
