/** The constant fields of each route, merged once: preset, overrides, cache rule, deprecation. */
import { imfFixdate, parseInstant } from "../../lib/http-date.js";
import { TARGETED_CACHE_FIELDS } from "../../model/cache-fields.js";
import type { HeaderContribution } from "../../model/compiled.js";
import type { CompiledKind } from "../../model/kind.js";
import type { HeaderField } from "../../model/request.js";
import type { ResolvedRoute } from "../../model/resolved.js";
import { stricterCacheControl } from "./cache-control.js";
import { GIVEAWAYS, PRESETS } from "./presets.js";

export function compileHeaders(): CompiledKind {
  return { headers: contributionOf };
}

function contributionOf(route: ResolvedRoute): HeaderContribution {
  const { fields } = route.headers;
  const set = new Map<string, HeaderField>();
  const remove = new Set(GIVEAWAYS);
  for (const field of PRESETS[route.headers.preset]) set.set(field[0].toLowerCase(), field);
  if (forbidsStoring(route)) {
    set.set("cache-control", ["Cache-Control", "no-store"]);
    for (const name of TARGETED_CACHE_FIELDS) remove.add(name);
  }
  for (const [lower, { name, value }] of fields) {
    set.delete(lower);
    remove.delete(lower);
    if (value === "remove") remove.add(lower);
    else if (value !== "keep" && lower !== "vary") set.set(lower, [name, value]);
  }
  return {
    set: [...set.values(), ...deprecationOf(route)],
    remove: [...remove],
    vary: tokensOf(fields.get("vary")?.value),
    mergeCacheControl: stricterCacheControl,
  };
}

/** What a known caller was shown must not be stored for the next one, unless the author decides about caching himself. */
function forbidsStoring(route: ResolvedRoute): boolean {
  return route.authenticate.mode !== "none" && !route.headers.fields.has("cache-control");
}

function tokensOf(list: string | undefined): string[] {
  return (list ?? "")
    .split(",")
    .map((token) => token.trim())
    .filter((token) => token !== "");
}

/** RFC 9745 section 2.1, RFC 8594 section 3. */
function deprecationOf({ deprecated }: ResolvedRoute): HeaderField[] {
  const fields: HeaderField[] = [];
  const since = deprecated === undefined ? undefined : parseInstant(deprecated.value.since);
  const sunset = deprecated?.value.sunset === undefined ? undefined : parseInstant(deprecated.value.sunset);
  if (since !== undefined) fields.push(["Deprecation", `@${Math.floor(since / 1000)}`]);
  if (sunset !== undefined) fields.push(["Sunset", imfFixdate(sunset)]);
  return fields;
}
