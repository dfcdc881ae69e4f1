/** The hosts that are served: a set per scheme, because a port is left out only where it is the scheme's own. */
import { formatAuthority, parseAuthority } from "../../normalize/host.js";
import type { Authority } from "../../normalize/host.js";
import { afterFirstLabel } from "../../normalize/wildcard.js";

export type HostList = (scheme: "http" | "https", host: string) => boolean;

interface HostEntry {
  readonly authority: Authority;
  /** Exactly one more label stands before it. */
  readonly wildcard: boolean;
}

const WILDCARD = "*.";

/** Undefined for what is neither a host nor `*.` and a host. */
export function parseHostEntry(text: string): HostEntry | undefined {
  const wildcard = text.startsWith(WILDCARD);
  const authority = parseAuthority(wildcard ? text.slice(WILDCARD.length) : text);
  if (authority === undefined || (wildcard && authority.name.startsWith("["))) return undefined;
  return { authority, wildcard };
}

export function compileHosts(entries: readonly string[]): HostList {
  const listed = { http: tableFor("http", entries), https: tableFor("https", entries) };
  return (scheme, host) => {
    const { exact, suffixes } = listed[scheme];
    if (exact.has(host)) return true;
    if (suffixes.size === 0) return false;
    const suffix = afterFirstLabel(host, 0);
    return suffix !== undefined && suffixes.has(suffix);
  };
}

function tableFor(
  scheme: "http" | "https",
  entries: readonly string[],
): { exact: Set<string>; suffixes: Set<string> } {
  const exact = new Set<string>();
  const suffixes = new Set<string>();
  for (const text of entries) {
    const entry = parseHostEntry(text);
    if (entry === undefined) continue;
    const host = formatAuthority(entry.authority, scheme);
    if (entry.wildcard) suffixes.add(`.${host}`);
    else exact.add(host);
  }
  return { exact, suffixes };
}
