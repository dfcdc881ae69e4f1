/** JSON Pointer (RFC 6901): how every diagnostic and every rule names its place in a document. */

/** One member name or index as it stands in a pointer. */
export function escapeSegment(segment: string | number): string {
  if (typeof segment === "number") return `${segment}`;
  // Most have nothing to escape, and a start spells out thousands.
  const text = segment.includes("~") ? segment.replaceAll("~", "~0") : segment;
  return text.includes("/") ? text.replaceAll("/", "~1") : text;
}

/** `pointerTo("/routes", "GET /a", "limits", 0)` is `/routes/GET ~1a/limits/0`. */
export function pointerTo(base: string, ...segments: readonly (string | number)[]): string {
  let pointer = base;
  for (const segment of segments) pointer += `/${escapeSegment(segment)}`;
  return pointer;
}

/** Undefined when the text is no JSON Pointer: it neither is empty nor begins with `/`, or has a stray `~`. */
export function parsePointer(pointer: string): string[] | undefined {
  if (pointer === "") return [];
  if (!pointer.startsWith("/") || /~(?![01])/u.test(pointer)) return undefined;
  return pointer
    .slice(1)
    .split("/")
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** What stands there; undefined when nothing does. Own members only: `constructor` is no member of `{}`. */
export function valueAt(document: unknown, segments: readonly string[]): unknown {
  let value = document;
  for (const segment of segments) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, segment)) return undefined;
    value = (value as Record<string, unknown>)[segment];
  }
  return value;
}
