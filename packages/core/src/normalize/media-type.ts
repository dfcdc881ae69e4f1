/**
 * The one reading of Content-Type (RFC 9110 section 8.3.1). Servers that read it twice, or leniently, let a body past the
 * validator that its type calls for: whatever is not plainly one media type in UTF-8 is no media type here.
 */

/** RFC 9110 section 5.6.2. */
const TOKEN_CHARACTERS = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/u;
/** What every client sends: spares the walk over the parameters. */
const PLAIN: ReadonlyMap<string, string> = new Map([
  ["application/json", "application/json"],
  ["application/json; charset=utf-8", "application/json"],
  ["application/json;charset=utf-8", "application/json"],
  ["application/json; charset=UTF-8", "application/json"],
  ["application/json;charset=UTF-8", "application/json"],
]);

/**
 * @param value the whole field value, without the blanks around it
 * @returns `type/subtype` in lower case; undefined when absent, malformed, or in a charset other than UTF-8
 */
export function readMediaType(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const plain = PLAIN.get(value);
  if (plain !== undefined) return plain;
  const semicolon = value.indexOf(";");
  // Only in front of a semicolon may blanks follow the type; else they belong to a value that nobody trimmed.
  const essence = semicolon === -1 ? value : trimEnd(value.slice(0, semicolon));
  const slash = essence.indexOf("/");
  if (!isToken(essence.slice(0, Math.max(slash, 0))) || !isToken(essence.slice(slash + 1))) return undefined;
  if (semicolon !== -1 && !parametersAreAcceptable(value, semicolon)) return undefined;
  return essence.toLowerCase();
}

/** Well formed, no name twice, and a charset only as UTF-8. */
function parametersAreAcceptable(value: string, from: number): boolean {
  const seen = new Set<string>();
  let at = from;
  while (at < value.length) {
    if (value[at] !== ";") return false;
    at = skipBlanks(value, at + 1);
    // RFC 9110 section 5.6.6 lets a parameter between two semicolons be missing.
    if (at >= value.length || value[at] === ";") continue;
    const equals = value.indexOf("=", at);
    if (equals === -1) return false;
    const name = value.slice(at, equals).toLowerCase();
    const read = readParameterValue(value, equals + 1);
    if (!isToken(name) || read === undefined || seen.has(name)) return false;
    if (name === "charset" && read.text.toLowerCase() !== "utf-8") return false;
    seen.add(name);
    at = skipBlanks(value, read.end);
  }
  return true;
}

interface ParameterValue {
  readonly text: string;
  /** Position after the value. */
  readonly end: number;
}

/** A token or a quoted string (RFC 9110 sections 5.6.2 and 5.6.4). */
function readParameterValue(value: string, from: number): ParameterValue | undefined {
  if (value[from] === '"') return readQuoted(value, from + 1);
  let end = from;
  while (end < value.length && value[end] !== ";" && !isBlank(value[end])) end++;
  const text = value.slice(from, end);
  return isToken(text) ? { text, end } : undefined;
}

function readQuoted(value: string, from: number): ParameterValue | undefined {
  let text = "";
  for (let at = from; at < value.length; at++) {
    const character = value[at] ?? "";
    if (character === '"') return { text, end: at + 1 };
    const literal = character === "\\" ? (value[++at] ?? "") : character;
    if (!isQuotable(literal)) return undefined;
    text += literal;
  }
  return undefined;
}

function isToken(text: string): boolean {
  return TOKEN_CHARACTERS.test(text);
}

/** TAB, SP, VCHAR or obs-text. */
function isQuotable(character: string): boolean {
  const code = character.charCodeAt(0);
  return code === 0x09 || (code >= 0x20 && code !== 0x7f);
}

function isBlank(character: string | undefined): boolean {
  return character === " " || character === "\t";
}

function skipBlanks(value: string, from: number): number {
  let at = from;
  while (isBlank(value[at])) at++;
  return at;
}

function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isBlank(text[end - 1])) end--;
  return text.slice(0, end);
}

/** @returns a test for media types: exact, `text/*`, or `+json` for the suffix */
export function mediaTypeMatcher(types: readonly string[]): (essence: string) => boolean {
  const exact: ReadonlySet<string> = new Set(types);
  const suffixes = types.filter((type) => type.startsWith("+"));
  const prefixes = types.filter((type) => type.endsWith("/*")).map((type) => type.slice(0, -1));
  return (essence) =>
    exact.has(essence) ||
    suffixes.some((suffix) => hasSuffix(essence, suffix)) ||
    prefixes.some((prefix) => essence.startsWith(prefix));
}

/** True for types whose bytes the engine can read. */
export function isJsonType(type: string): boolean {
  return type === "application/json" || type === "+json" || hasSuffix(type, "+json");
}

/** RFC 6839: the suffix stands behind a name of its own; `application/+json` is no media type with a suffix. */
function hasSuffix(essence: string, suffix: string): boolean {
  return essence.endsWith(suffix) && essence.charAt(essence.length - suffix.length - 1) !== "/";
}
