/**
 * One spelling for each authority: lower case, no trailing dot, no default port. `a.test`, `A.TEST`, `a.test.` and
 * `a.test:443` over https are the same host; userinfo and anything that is no host name is refused.
 */
import { formatIPv6, parseIPv6 } from "../lib/ip.js";

/** A host and, where it was written, its port. */
export interface Authority {
  /** Lower case, without a trailing dot; IPv6 in brackets. */
  readonly name: string;
  readonly port: number | undefined;
}

/** Letters, digits, `-`, `_` and dots between labels: what host names in use are made of. Both cases written out: `i` looks into Unicode's. */
const HOST_NAME = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?$/;
const PORT = /^(?:0|[1-9][0-9]{0,4})$/;

/** Undefined for what is no authority: userinfo, blanks, empty labels, a bad port, a list. */
export function parseAuthority(text: string): Authority | undefined {
  if (text.length > 300) return undefined;
  const end = text.startsWith("[") ? text.indexOf("]") + 1 : text.indexOf(":");
  if (text.startsWith("[") && end === 0) return undefined;
  const name = hostName(end < 0 ? text : text.slice(0, end));
  if (name === undefined) return undefined;
  if (end < 0 || end === text.length) return { name, port: undefined };
  const port = text.slice(end + 1);
  if (text[end] !== ":" || !PORT.test(port) || Number(port) > 65_535) return undefined;
  return { name, port: Number(port) };
}

function hostName(text: string): string | undefined {
  if (text.startsWith("[")) {
    const groups = parseIPv6(text.slice(1, -1));
    return groups === undefined ? undefined : `[${formatIPv6(groups)}]`;
  }
  if (!HOST_NAME.test(text)) return undefined;
  const name = text.toLowerCase();
  return name.endsWith(".") ? name.slice(0, -1) : name;
}

export function formatAuthority(authority: Authority, scheme: "http" | "https"): string {
  const { name, port } = authority;
  return port === undefined || port === (scheme === "https" ? 443 : 80) ? name : `${name}:${port}`;
}

/** True when both name one server under this scheme. */
export function sameAuthority(a: Authority, b: Authority, scheme: "http" | "https"): boolean {
  const standard = scheme === "https" ? 443 : 80;
  return a.name === b.name && (a.port ?? standard) === (b.port ?? standard);
}
