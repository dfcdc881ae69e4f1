/** Canonical JSON (RFC 8785): one spelling for one value, so that a hash of it names the value. */

/** @param value JSON without lone surrogates, no deeper than the policy's own bound: anything else was refused before */
export function canonicalJson(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(",")}]`;
  const members = value as Readonly<Record<string, unknown>>;
  let text = "";
  // Without a comparison of its own `sort` goes by UTF-16 code units, as the RFC does.
  for (const name of Object.keys(members).sort())
    text += `${text === "" ? "" : ","}${JSON.stringify(name)}:${canonicalJson(members[name])}`;
  return `{${text}}`;
}
