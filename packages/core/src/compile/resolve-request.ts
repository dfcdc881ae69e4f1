/** The request side of a route: every member from the nearest level that writes it, then the language's defaults. */
import { sortedEntries } from "../lib/sorted.js";
import { parseSize } from "../lib/size.js";
import type { JsonSchema, RequestSettings, SharedSettings, SniffSettings } from "../model/policy.js";
import type { Placed, ResolvedRequest } from "../model/resolved.js";
import { type Level, inside, nearest } from "./levels.js";

/** Bytes; a body is what one caller may make the server hold. */
const MAX_BODY = 100_000;
const MAX_DEPTH = 32;
const TYPES: readonly string[] = ["application/json", "+json"];

type Schemas = Readonly<Record<string, JsonSchema>>;

export function resolveRequest(levels: readonly Level<SharedSettings>[], route: string): ResolvedRequest {
  const members: Level<RequestSettings>[] = inside(levels, "request");
  const types = nearest(members, "types");
  const maxBody = nearest(members, "maxBody");
  return {
    params: schemaMap(nearest(members, "params"), sameName),
    query: schemaMap(nearest(members, "query"), sameName),
    headers: schemaMap(nearest(members, "headers"), lowerCase),
    cookies: schemaMap(nearest(members, "cookies"), sameName),
    body: nearest(members, "body"),
    bodyOptional: nearest(members, "bodyOptional")?.value ?? false,
    types:
      types === undefined
        ? { value: TYPES, pointer: route, from: "language" }
        : { ...types, value: types.value.map(lowerCase) },
    maxBody: (maxBody === undefined ? undefined : parseSize(maxBody.value)) ?? MAX_BODY,
    maxDepth: nearest(members, "maxDepth")?.value ?? MAX_DEPTH,
    unknown: nearest(members, "unknown")?.value ?? "reject",
    sniff: resolveSniff(nearest(members, "sniff")?.value),
    operators: nearest(members, "operators")?.value ?? "refuse",
    sanitize: nearest(members, "sanitize"),
  };
}

/** A guard that is not written is on. */
function resolveSniff(sniff: SniffSettings | undefined): Required<SniffSettings> {
  return {
    prototypeKeys: sniff?.prototypeKeys ?? true,
    controlCharacters: sniff?.controlCharacters ?? true,
    loneSurrogates: sniff?.loneSurrogates ?? true,
    unsafeIntegers: sniff?.unsafeIntegers ?? true,
    duplicateKeys: sniff?.duplicateKeys ?? true,
  };
}

/** Names come from the author, lookups from callers: no prototype may answer them. */
function schemaMap(
  placed: Placed<Schemas> | undefined,
  rename: (name: string) => string,
): Placed<Schemas> | undefined {
  if (placed === undefined) return undefined;
  const value: Record<string, JsonSchema> = Object.create(null) as Record<string, JsonSchema>;
  for (const [name, schema] of sortedEntries(placed.value)) value[rename(name)] = schema;
  return { ...placed, value };
}

function sameName(name: string): string {
  return name;
}

function lowerCase(name: string): string {
  return name.toLowerCase();
}
