/** How diagnostics speak: what was found, lists of names, and an author's own words, shortened. */

const MAX_QUOTED = 60;

/** Control characters would break a terminal, and a page of text no message. */
export function quote(text: string): string {
  const plain = text.replace(/[\u0000-\u001F\u007F`\uD800-\uDFFF]/gu, "·");
  return `\`${plain.length > MAX_QUOTED ? `${plain.slice(0, MAX_QUOTED)}…` : plain}\``;
}

/** `` `a`, `b` or `c` ``; long lists are cut, the reference has them whole. */
export function alternatives(names: readonly (string | number | boolean)[], most = 16): string {
  const shown = names.slice(0, most).map((name) => `\`${String(name)}\``);
  if (names.length > most) return `${shown.join(", ")} or ${names.length - most} others`;
  const last = shown.pop();
  return shown.length === 0 ? (last ?? "nothing") : `${shown.join(", ")} or ${last ?? ""}`;
}

/** The kind of a value, never the value. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  const type = typeof value;
  if (type === "object") return "an object";
  if (type === "string" || type === "number" || type === "boolean") return `a ${type}`;
  return `a value of type ${type}`;
}
