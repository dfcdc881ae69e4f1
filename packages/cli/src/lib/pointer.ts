/** JSON Pointer (RFC 6901). */
export function pointerTo(base: string, ...segments: readonly (string | number)[]): string {
  return [
    base,
    ...segments.map((segment) => String(segment).replaceAll("~", "~0").replaceAll("/", "~1")),
  ].join("/");
}
