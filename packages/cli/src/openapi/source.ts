/**
 * The text of an OpenAPI document as plain values, read strictly: what two readers read differently is no description. Documents come
 * from elsewhere, so each bound here is against one that is meant to be costly.
 */
import { isAlias, isMap, isScalar, isSeq, parseDocument, visit, type Document } from "yaml";

/** A document cannot be used, and why; `file` is the one that is at fault. */
export class OpenApiError extends Error {
  override readonly name = "OpenApiError";

  constructor(
    message: string,
    readonly file: string,
    readonly help?: string,
  ) {
    super(message);
  }
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The member itself: nothing of a prototype is taken for one. */
export function member(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Characters. Twice what a policy may have, which says less about each route. */
export const MAX_TEXT = 8_388_608;
/** YAML is parsed some ten times slower than JSON. */
const MAX_YAML = 4_194_304;
const MAX_DEPTH = 128;
const MAX_VALUES = 1_000_000;
/** Each is looked up in the whole text before it. */
const MAX_ALIASES = 1_000;

/** @throws OpenApiError where it is no JSON and no YAML, or beyond a bound */
export function readSource(text: string, file: string): unknown {
  if (text.length > MAX_TEXT)
    throw new OpenApiError(`the document has more than ${MAX_TEXT} characters`, file, "split it");
  const content = text.startsWith("\uFEFF") ? text.slice(1) : text;
  const value = readJson(content, file) ?? readYaml(content, file);
  checkBounds(value, file);
  return value;
}

/** Undefined where it is none. */
function readJson(text: string, file: string): unknown {
  if (!/^\s*[[{]/u.test(text)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const twice = repeatedKey(text);
  if (twice !== undefined) throw new OpenApiError(`the key \`${twice}\` stands twice in one object`, file);
  return value;
}

/** `JSON.parse` lets the last of two win; other readers the first. The text is known to be JSON. */
function repeatedKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  for (const [token, string] of text.matchAll(/("(?:[^"\\]|\\.)*")(?=\s*:)|"(?:[^"\\]|\\.)*"|[[\]{}]/gu)) {
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(undefined);
    else if (token === "}" || token === "]") open.pop();
    else if (string !== undefined) {
      const key = String(JSON.parse(string));
      const keys = open.at(-1);
      if (keys?.has(key) === true) return key;
      keys?.add(key);
    }
  }
  return undefined;
}

function readYaml(text: string, file: string): unknown {
  if (text.length > MAX_YAML)
    throw new OpenApiError(
      `the document has more than ${MAX_YAML} characters`,
      file,
      "split it, or write it as JSON",
    );
  try {
    const document = parseDocument(text, {
      version: "1.2",
      schema: "core",
      merge: true,
      stringKeys: true,
      // Compared with all before it, each key would cost as much as there are; `checkTree` keeps a set.
      uniqueKeys: false,
      resolveKnownTags: false,
      // With "silent" a second document in the same text would be left out without a word.
      logLevel: "error",
    });
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined)
      throw new OpenApiError(`it is neither JSON nor YAML: ${firstLineOf(problem.message)}`, file);
    checkTree(document, file);
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch (error) {
    if (error instanceof OpenApiError) throw error;
    // Too deep for the parser's own stack, or more aliases than it unfolds.
    throw new OpenApiError("it cannot be read as YAML: it nests too deep, or repeats itself too often", file);
  }
}

/** The parser shows an excerpt below. */
function firstLineOf(message: string): string {
  return (message.split("\n", 1)[0] ?? "").replace(/:$/u, "");
}

function checkTree(document: Document.Parsed, file: string): void {
  let aliases = 0;
  visit(document, (_key, node) => {
    if (isAlias(node) && ++aliases > MAX_ALIASES)
      throw new OpenApiError(`the document has more than ${MAX_ALIASES} aliases`, file);
    if (isMap(node)) {
      const keys = new Set<string>();
      for (const { key } of node.items) {
        const name = isScalar(key) ? String(key.value) : String(key);
        if (keys.has(name)) throw new OpenApiError(`the key \`${name}\` stands twice in one object`, file);
        keys.add(name);
      }
    } else if (isSeq(node) && node.items.length > MAX_VALUES)
      throw new OpenApiError(`the document has more than ${MAX_VALUES} values`, file);
  });
}

/** Values are counted as often as they are met: an alias that unfolds is as large as what it stands for. */
function checkBounds(value: unknown, file: string): void {
  let count = 0;
  const look = (inner: unknown, depth: number): void => {
    if (++count > MAX_VALUES) throw new OpenApiError(`the document has more than ${MAX_VALUES} values`, file);
    if (depth > MAX_DEPTH)
      throw new OpenApiError(`the document nests more than ${MAX_DEPTH} levels deep`, file);
    if (typeof inner !== "object" || inner === null) return;
    if (Array.isArray(inner)) for (const one of inner) look(one, depth + 1);
    else
      for (const [key, one] of Object.entries(inner)) {
        if (key === "__proto__")
          throw new OpenApiError("the document has the key `__proto__`", file, "no honest one needs it");
        look(one, depth + 1);
      }
  };
  look(value, 0);
}
