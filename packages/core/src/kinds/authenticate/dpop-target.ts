/** The target URI of a request, as a proof's `htu` names it: without query and fragment, in one normal form (RFC 9449 section 4.3, RFC 3986 section 6.2). */
import { formatAuthority, parseAuthority } from "../../normalize/host.js";
import type { NormalizedRequest } from "../../model/request.js";

const MAX_TARGET = 8192;
/** Scheme, authority and path; what follows is cut off. */
const ABSOLUTE = /^(https?):\/\/([^/?#]*)([^?#]*)/iu;
const UNRESERVED = /[A-Za-z0-9\-._~]/u;

/** Undefined for what is no http or https URI. */
export function normalTarget(text: string): string | undefined {
  if (text.length > MAX_TARGET || !/^[!-~]+$/u.test(text)) return undefined;
  const [, written = "", host = "", path = ""] = ABSOLUTE.exec(text) ?? [];
  const authority = parseAuthority(host);
  const normal = normalPath(path);
  if (authority === undefined || normal === undefined) return undefined;
  const scheme = written.toLowerCase() === "https" ? "https" : "http";
  return `${scheme}://${formatAuthority(authority, scheme)}${normal}`;
}

/** As the client sees it: scheme and host are the socket's, or those of a trusted proxy. */
export function targetOf({ scheme, host, path }: NormalizedRequest): string | undefined {
  const normal = host === "" ? undefined : normalPath(path);
  return normal === undefined ? undefined : `${scheme}://${host}${normal}`;
}

function normalPath(path: string): string | undefined {
  if (path === "") return "/";
  if (!path.includes("%") && !path.includes("/.")) return path;
  if (/%(?![0-9A-Fa-f]{2})/u.test(path)) return undefined;
  const decoded = path.replaceAll(/%([0-9A-Fa-f]{2})/gu, (escape, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return UNRESERVED.test(character) ? character : escape.toUpperCase();
  });
  return withoutDots(decoded);
}

/** RFC 3986 section 5.2.4. */
function withoutDots(path: string): string {
  const kept: string[] = [];
  const segments = path.split("/").slice(1);
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    if (segment === "..") kept.pop();
    else if (segment !== ".") kept.push(segment);
    if (last && (segment === "." || segment === "..")) kept.push("");
  }
  return `/${kept.join("/")}`;
}
