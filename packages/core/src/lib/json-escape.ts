/**
 * JSON that is safe to stand inside HTML and JavaScript: the characters that could end a script element, open a tag or an
 * entity, or (before ES2019) end a line of script. The text means the same value as before.
 */
const UNSAFE = /[<>&\u2028\u2029]/u;
const EVERY_UNSAFE = /[<>&\u2028\u2029]/gu;

const ESCAPES: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/**
 * @param json valid JSON text: outside strings none of these characters can stand, so no parsing is needed
 * @returns the same string where nothing had to be escaped
 */
export function escapeJson(json: string): string {
  return UNSAFE.test(json) ? json.replace(EVERY_UNSAFE, escapeOf) : json;
}

function escapeOf(character: string): string {
  return ESCAPES[character] ?? character;
}
