/** JSON Pointer (RFC 6901). */
export function pointerTo(base: string, ...segments: readonly (string | number)[]): string {
  return [
    base,
    ...segments.map((segment) => String(segment).replaceAll("~", "~0").replaceAll("/", "~1")),
  ].join("/");
}

/** Of a pointer that is one. */
export function segmentsOf(pointer: string): readonly string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));
}
