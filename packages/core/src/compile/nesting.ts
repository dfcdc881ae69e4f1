/** Depth of a text before it is parsed: the parser recurses, and a text may be deeper than the stack. */

/** Linear, without a tree: brackets outside of strings and comments are counted. */
export function nestsTooDeep(text: string, most: number): boolean {
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    const char = text[index];
    if (char === '"') index = endOfString(text, index);
    else if (char === "/" && text[index + 1] === "/") index = endOrLast(text, "\n", index);
    else if (char === "/" && text[index + 1] === "*") index = endOrLast(text, "*/", index + 2);
    else if (char === "{" || char === "[") depth += 1;
    else if (char === "}" || char === "]") depth -= 1;
    if (depth > most) return true;
  }
  return false;
}

function endOfString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index += 1) {
    if (text[index] === "\\") index += 1;
    else if (text[index] === '"') return index;
  }
  return text.length;
}

function endOrLast(text: string, end: string, from: number): number {
  const found = text.indexOf(end, from);
  return found === -1 ? text.length : found;
}
