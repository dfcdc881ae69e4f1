/** A document as text with comments. What comes from elsewhere stands in strings and comments alone, and can leave neither. */
import { pointerTo } from "../lib/pointer.js";
import { printable } from "../lib/printable.js";

const WIDTH = 100;

type Comments = ReadonlyMap<string, readonly string[]>;

/** @param comments lines by the JSON Pointer of what they stand above */
export function writeJsonc(value: unknown, head: readonly string[], comments: Comments): string {
  return new Writer(comments).write(value, head);
}

class Writer {
  /** Pointers of what has a comment somewhere inside. */
  private readonly around = new Set<string>();

  constructor(private readonly comments: Comments) {
    for (const pointer of comments.keys())
      for (let end = pointer.lastIndexOf("/"); end >= 0; end = pointer.lastIndexOf("/", end - 1)) {
        this.around.add(pointer.slice(0, end));
        if (end === 0) break;
      }
  }

  write(value: unknown, head: readonly string[]): string {
    const above = [...head, ...(this.comments.get("") ?? [])].map((line) => comment(line, "")).join("");
    return `${above}${this.written(value, "", "")}\n`;
  }

  private written(value: unknown, at: string, indent: string): string {
    if (typeof value !== "object" || value === null) return scalar(value);
    if (indent !== "" && !this.around.has(at)) {
      const flat = spaced(value);
      if (indent.length + flat.length <= WIDTH) return flat;
    }
    const inner = `${indent}  `;
    const list = Array.isArray(value);
    const lines = Object.entries(value).map(([key, one]: [string, unknown]) => {
      const pointer = pointerTo(at, key);
      const above = (this.comments.get(pointer) ?? []).map((line) => comment(line, inner)).join("");
      return `${above}${inner}${list ? "" : `${scalar(key)}: `}${this.written(one, pointer, inner)},\n`;
    });
    if (lines.length === 0) return list ? "[]" : "{}";
    return `${list ? "[" : "{"}\n${lines.join("")}${indent}${list ? "]" : "}"}`;
  }
}

/** A line break would end the comment, and what stands behind it would be policy. */
function comment(text: string, indent: string): string {
  return `${indent}// ${printable(text.replaceAll(/\s+/gu, " "))}`.trimEnd() + "\n";
}

/** What JSON may carry raw and a reader would not see, or see in another order (CVE-2021-42574). */
const UNSEEN = /[\u007F-\u009F\u200B-\u200F\u2028-\u202E\u2060-\u2069\uFEFF]/gu;

function scalar(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    UNSEEN,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}

/** On one line, as people write it. */
function spaced(value: unknown): string {
  if (typeof value !== "object" || value === null) return scalar(value);
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  const members = Object.entries(value).map(([key, one]) => `${scalar(key)}: ${spaced(one)}`);
  return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
}
