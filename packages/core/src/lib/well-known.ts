/** Where the metadata of something with a URL stands (RFC 8615). */

/** The well-known part goes in front of the path (RFC 8414 section 3.1, RFC 9728 section 3.1). */
export function wellKnownUrl(of: string, name: string): string {
  const { origin, pathname } = new URL(of);
  return `${origin}/.well-known/${name}${pathname === "/" ? "" : pathname.replace(/\/$/u, "")}`;
}

export const PROTECTED_RESOURCE = "oauth-protected-resource";
