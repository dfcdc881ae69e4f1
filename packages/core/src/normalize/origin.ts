/** Origins as browsers serialize them (RFC 6454 section 6.2). Compared whole: scheme, host and port each make another origin. */
import { formatAuthority, parseAuthority } from "./host.js";

const ORIGIN = /^([a-z][a-z0-9+.-]*):\/\/([^/]+)$/;

/**
 * The canonical text: a default port is left out. Undefined for whatever no browser sends: a path, upper case, userinfo, a list, `null`.
 * A trailing dot is kept out too, because `https://a.test.` is another origin than `https://a.test`.
 */
export function parseOrigin(text: string): string | undefined {
  const [, scheme, rest] = ORIGIN.exec(text) ?? [];
  if (scheme === undefined || rest === undefined || rest.endsWith(".") || rest.includes(".:"))
    return undefined;
  const authority = parseAuthority(rest);
  if (authority === undefined || !rest.startsWith(authority.name)) return undefined;
  if (scheme === "http" || scheme === "https") return `${scheme}://${formatAuthority(authority, scheme)}`;
  return text;
}

/** The origin of a request to this very server. */
export function ownOrigin(request: { readonly scheme: string; readonly host: string }): string {
  return `${request.scheme}://${request.host}`;
}
