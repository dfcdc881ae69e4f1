/** Templates of error bodies: any JSON, with placeholders inside its strings. */
import { escapeJson } from "../../lib/json-escape.js";

export const PLACEHOLDERS = ["code", "title", "detail", "correlation"] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];

/** A word in braces; other braces are text. */
const PLACEHOLDER = /\{([A-Za-z][A-Za-z0-9_-]*)\}/gu;

/** Every placeholder that stands in a template, known or not, and where. */
export function placeholdersIn(template: unknown, pointer: string): { name: string; pointer: string }[] {
  if (typeof template === "string") {
    return [...template.matchAll(PLACEHOLDER)].map((match) => ({ name: match[1] ?? "", pointer }));
  }
  if (typeof template !== "object" || template === null) return [];
  return Object.entries(template).flatMap(([name, value]) =>
    placeholdersIn(value, `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`),
  );
}

/**
 * The template's JSON text with the constants filled in, split where the correlation id goes.
 * @param constants what is known when the policy is compiled
 */
export function prepareTemplate(
  template: unknown,
  constants: Readonly<Record<Exclude<Placeholder, "correlation">, string>>,
): readonly string[] {
  const pieces: string[] = [""];
  const write = (text: string): void => {
    pieces.push((pieces.pop() ?? "") + text);
  };
  const writeString = (text: string): void => {
    write('"');
    let end = 0;
    for (const match of text.matchAll(PLACEHOLDER)) {
      write(inner(text.slice(end, match.index)));
      end = match.index + match[0].length;
      const name = match[1];
      if (name === "correlation") pieces.push("");
      else if (name === "code" || name === "title" || name === "detail") write(inner(constants[name]));
    }
    write(inner(text.slice(end)) + '"');
  };
  const writeValue = (value: unknown): void => {
    if (typeof value === "string") writeString(value);
    else if (Array.isArray(value)) writeList("[", "]", value, writeValue);
    else if (typeof value === "object" && value !== null) {
      writeList("{", "}", Object.entries(value), ([name, member]) => {
        write(`${quoted(name)}:`);
        writeValue(member);
      });
    } else write(JSON.stringify(value));
  };
  function writeList<T>(open: string, close: string, items: readonly T[], one: (item: T) => void): void {
    write(open);
    items.forEach((item, index) => {
      if (index > 0) write(",");
      one(item);
    });
    write(close);
  }
  writeValue(template);
  return pieces;
}

/** Safe inside HTML and script as well: an error page is where such text is shown unescaped first. */
export function quoted(text: string): string {
  return escapeJson(JSON.stringify(text));
}

function inner(text: string): string {
  return quoted(text).slice(1, -1);
}
