/** What a person has to decide, and what was not carried over, for readers. */
import type { Item, ItemKind } from "../openapi/list.js";

const HEADS: readonly (readonly [ItemKind, string])[] = [
  ["decide", "to decide"],
  ["lost", "not carried over"],
  ["note", "to know"],
];

/** Every line is there; what is said of several places is said once. */
export function formatItems(items: readonly Item[]): string {
  return HEADS.map(([kind, head]) =>
    section(
      head,
      items.filter((item) => item.kind === kind),
    ),
  ).join("");
}

function section(head: string, items: readonly Item[]): string {
  if (items.length === 0) return "";
  const byMessage = new Map<string, Item[]>();
  for (const item of items) byMessage.set(item.message, [...(byMessage.get(item.message) ?? []), item]);
  const lines = [...byMessage].map(
    ([message, same]) =>
      `- ${message}\n${same
        .map(placeOf)
        .filter((place) => place !== "")
        .map((place) => `    ${place}\n`)
        .join("")}`,
  );
  return `\n${head} (${items.length}):\n${lines.join("")}`;
}

function placeOf({ source, at }: Item): string {
  return [source, at].filter((one) => one !== undefined && one !== "").join(" -> ");
}
