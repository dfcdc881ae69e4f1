/** The parameters of a pattern, taken from the places that it knows at compile time. */
import type { PatternPart } from "../model/resolved.js";

export interface ParamsReader {
  /** The one answer of a pattern without parameters. */
  readonly fixed: Record<string, string> | undefined;
  read(segments: readonly string[]): Record<string, string>;
}

/**
 * Names come from the policy, but whoever reads them may ask for any: `params.constructor` must be absent. Objects made by this
 * constructor inherit nothing, and unlike those of `Object.create(null)` their properties stay fast.
 */
const Params = function (this: object) {} as unknown as new () => Record<string, string>;
Params.prototype = Object.freeze(Object.create(null)) as Record<string, string>;

/** Name under which the text that `*` stands for is handed on. */
const REST = "*";

/** Routes that take the same names from the same places share their reader: what a look-up reads lies close together. */
export function compileAllParams(
  routes: readonly { readonly pattern: readonly PatternPart[] }[],
): ParamsReader[] {
  const readers = new Map<string, ParamsReader>();
  return routes.map(({ pattern }) => {
    const key = pattern
      .map((part) => (part.kind === "param" ? `:${part.name}` : part.kind === "rest" ? "*" : ""))
      .join("/");
    const reader = readers.get(key) ?? compileParams(pattern);
    readers.set(key, reader);
    return reader;
  });
}

function compileParams(pattern: readonly PatternPart[]): ParamsReader {
  const names: string[] = [];
  const places: number[] = [];
  for (const [place, part] of pattern.entries()) {
    if (part.kind !== "param") continue;
    names.push(part.name);
    places.push(place);
  }
  const rest = pattern.findIndex((part) => part.kind === "rest");
  if (names.length === 0 && rest < 0) {
    const fixed = Object.freeze(new Params());
    return { fixed, read: () => fixed };
  }
  return {
    fixed: undefined,
    read(segments) {
      const params = new Params();
      for (let i = 0; i < names.length; i += 1) params[names[i] ?? ""] = segments[places[i] ?? 0] ?? "";
      // No segment holds a slash, so the joined text has one reading.
      if (rest >= 0) params[REST] = segments.slice(rest).join("/");
      return params;
    },
  };
}
