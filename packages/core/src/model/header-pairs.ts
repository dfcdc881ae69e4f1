/** The three forms in which a server may hand header fields over, as pairs. For refusals and tests: it copies. */
import type { HeaderField, RawRequest } from "./request.js";

export function pairsOf(headers: RawRequest["headers"]): readonly HeaderField[] {
  if (!isList(headers)) return Object.entries(headers);
  const pairs: HeaderField[] = [];
  for (let index = 0; index < headers.length; index++) {
    const item = headers[index];
    if (typeof item === "string") {
      const value = headers[++index];
      if (typeof value === "string") pairs.push([item, value]);
    } else if (item !== undefined) pairs.push(item);
  }
  return pairs;
}

function isList(headers: RawRequest["headers"]): headers is readonly HeaderField[] | readonly string[] {
  return Array.isArray(headers);
}
