/** Canonical JSON (RFC 8785): one spelling for one value, so that a hash of it names the value. */
import { byName } from "./sorted.js";

/** @param value JSON without lone surrogates, no deeper than the policy's own bound: anything else was refused before */
export function canonicalJson(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(",")}]`;
  const members = Object.entries(value)
    .sort(([a], [b]) => byName(a, b))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
}
