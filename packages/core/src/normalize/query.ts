/** The query, decoded in one way (WHATWG `application/x-www-form-urlencoded`, but fatal where that would guess). */
import type { QueryParameters } from "../model/request.js";

export interface QueryBounds {
  readonly maxParameters: number;
}

const QUERY_BOUNDS: QueryBounds = { maxParameters: 1000 };

/**
 * @param text what follows the first `?`
 * @returns undefined when it has an invalid percent-encoding, is not UTF-8 or has too many parameters. A name that is repeated
 *   has a list. Names stay keys of a Map: `__proto__` is a name like any other.
 */
export function parseQuery(text: string, bounds: QueryBounds = QUERY_BOUNDS): QueryParameters | undefined {
  const parameters = new Map<string, string | string[]>();
  let count = 0;
  let start = 0;
  while (start < text.length) {
    const found = text.indexOf("&", start);
    const end = found < 0 ? text.length : found;
    if (end > start) {
      count += 1;
      if (count > bounds.maxParameters || !addParameter(text, start, end, parameters)) return undefined;
    }
    start = end + 1;
  }
  return parameters;
}

function addParameter(
  text: string,
  start: number,
  end: number,
  into: Map<string, string | string[]>,
): boolean {
  const found = text.indexOf("=", start);
  const equals = found < 0 || found > end ? end : found;
  const name = decodeComponent(text.slice(start, equals));
  const value = decodeComponent(text.slice(equals + 1, end));
  if (name === undefined || value === undefined) return false;
  const before = into.get(name);
  if (before === undefined) into.set(name, value);
  else if (typeof before === "string") into.set(name, [before, value]);
  else before.push(value);
  return true;
}

function decodeComponent(text: string): string | undefined {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!spaced.includes("%")) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return undefined;
  }
}
