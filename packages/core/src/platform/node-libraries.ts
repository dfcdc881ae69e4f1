/**
 * Libraries that some policies need and others do not, on Node: loaded when the first policy needs one, as reading them is a quarter of
 * what importing this package costs. By `require`, since checking a policy is synchronous.
 */
import { createRequire } from "node:module";
import type { parse } from "@humanwhocodes/momoa";
import type { RE2JS } from "re2js";
import type * as StructuredFields from "structured-headers";

/** What this file is called wherever it was not made part of another. */
const OWN_PLACE = /\/platform\/node-libraries\.[jt]s$/u;
/** Nothing, in what bundlers make of it as CommonJS. */
const place = import.meta.url as string | undefined;

// Else the first policy that needs one would find out, which may be one that is put in force months later.
if (place === undefined) refuseBundle();
else if (!OWN_PLACE.test(place))
  for (const name of ["re2js", "@humanwhocodes/momoa", "structured-headers"]) find(name, place);

function find(name: string, from: string): void {
  try {
    createRequire(from).resolve(name);
  } catch {
    refuseBundle();
  }
}

function refuseBundle(): never {
  throw new Error(
    "`@gatehouse/core` was bundled without libraries that policies need: bundle it with the condition `module` beside your own " +
      "(esbuild: `--conditions=module,…`), or leave it out of the bundle (`--external:@gatehouse/core`)",
  );
}

function once<Library>(load: () => Library): () => Library {
  let loaded: Library | undefined;
  return () => (loaded ??= load());
}

// Resolved from where this package stands: under pnpm nobody else sees what it declares. Under this name, once for all and called with each
// name written out, as tools that gather the files of a deployment read it: they would leave the libraries behind otherwise. Made by whoever
// needs it, it would have no name any more: the minifier puts in its place what it is used for once, and renames what stands in a function.
const require = createRequire(import.meta.url);

const re2 = once(() => require("re2js") as { readonly RE2JS: typeof RE2JS });
const momoa = once(() => require("@humanwhocodes/momoa") as { readonly parse: typeof parse });

export const linearPatterns = (): typeof RE2JS => re2().RE2JS;
export const jsonTree = (): typeof parse => momoa().parse;
export const structuredFields = once(() => require("structured-headers") as typeof StructuredFields);
