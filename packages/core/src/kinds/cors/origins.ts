/** Which origins are listed. What goes out is a configured text or one that a whole-label check built, never the caller's bytes. */
import { parseOrigin } from "../../normalize/origin.js";
import { afterFirstLabel } from "../../normalize/wildcard.js";

/** The value of `Access-Control-Allow-Origin`, or undefined for an origin that is not listed. */
export type OriginMatcher = (origin: string) => string | undefined;

const ANY = "*";
const NULL_ORIGIN = "null";
const WILDCARD = "://*.";

export interface OriginEntry {
  readonly kind: "any" | "null" | "exact" | "wildcard";
  /** Canonical; a wildcard as `https://` and `.partners.example.com` in one. */
  readonly text: string;
}

/** Undefined for what no browser could send, and for patterns other than one whole label. */
export function parseOriginEntry(text: string): OriginEntry | undefined {
  if (text === ANY) return { kind: "any", text };
  if (text === NULL_ORIGIN) return { kind: "null", text };
  if (!text.includes(WILDCARD)) {
    const exact = parseOrigin(text);
    return exact === undefined ? undefined : { kind: "exact", text: exact };
  }
  const parent = parseOrigin(text.replace(WILDCARD, "://"));
  if (parent === undefined || parent.includes("[")) return undefined;
  return { kind: "wildcard", text: parent.replace("://", "://.") };
}

export function compileOrigins(entries: readonly string[]): OriginMatcher {
  const parsed = entries.map((text) => parseOriginEntry(text)).filter((entry) => entry !== undefined);
  const exact = new Map<string, string>();
  const parents = new Set<string>();
  for (const { kind, text } of parsed) {
    if (kind === "wildcard") parents.add(text);
    else if (kind !== "any") exact.set(text, text);
  }
  const any = parsed.some(({ kind }) => kind === "any");
  let latest: string | undefined;
  return (origin) => {
    // Pages of one origin call many times in a row, and to compare it takes less than to look it up.
    if (origin === latest) return latest;
    const listed = exact.get(origin);
    if (listed !== undefined) return (latest = listed);
    // Rare below: an origin with its default port written out, one under a wildcard, or a stranger's.
    const canonical = parseOrigin(origin);
    if (canonical === undefined) return undefined;
    if (any) return ANY;
    return exact.get(canonical) ?? underWildcard(canonical, parents);
  };
}

function underWildcard(origin: string, parents: ReadonlySet<string>): string | undefined {
  if (parents.size === 0) return undefined;
  const host = origin.indexOf("://") + 3;
  const parent = afterFirstLabel(origin, host);
  return parent !== undefined && parents.has(origin.slice(0, host) + parent) ? origin : undefined;
}
