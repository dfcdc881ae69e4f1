/**
 * Text of others on the way to a terminal: an escape sequence in a policy or a file's name must not move the cursor, and
 * a bidirectional control must not let a line read as another (CVE-2021-42574).
 */
const UNSAFE =
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200E\u200F\u2028\u2029\u202A-\u202E\u2066-\u2069\uFEFF]/gu;

/** Tabs and line feeds stay. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16).toUpperCase()}}`;
  });
}
