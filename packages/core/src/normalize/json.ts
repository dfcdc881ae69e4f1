/**
 * The one reading of JSON bytes. What a rule judges is what the handler gets: nobody parses the bytes a second time, so
 * two readers can never disagree about them (RFC 8259, RFC 7493).
 */
import type { InputProblem } from "../model/outcome.js";
import { type JsonGuards, problemAt } from "./json-guards.js";
import { QuickReader } from "./json-quick.js";
import { JsonScanner } from "./json-scan.js";

export type JsonReading =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "malformed"; readonly problems: readonly InputProblem[] };

export type JsonReader = (bytes: Uint8Array) => JsonReading;

/**
 * UTF-8 and nothing else (RFC 8259 section 8.1); `fatal`, because a replacement character would be a second reading.
 * `ignoreBOM` keeps a byte order mark in the text, where it is no JSON: senders must not add one.
 */
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const BYTE_ORDER_MARK = 0xfeff;

/** @returns a reader for one set of guards; make it while compiling, it keeps its working memory */
export function createJsonReader(guards: JsonGuards): JsonReader {
  const quick = new QuickReader(guards);
  const scanner = new JsonScanner(guards);
  return (bytes) => {
    const text = decode(bytes);
    if (text === undefined) return malformed([problemAt("", "encoding")]);
    const good = quick.read(bytes, text);
    if (good !== undefined) return { kind: "value", value: good.value };
    const problems = scanner.scan(text);
    return problems === undefined ? parse(text) : malformed(problems);
  };
}

/** Never throws. The parser's own message quotes the text: it is dropped. */
function parse(text: string): JsonReading {
  try {
    return { kind: "value", value: JSON.parse(text) as unknown };
  } catch {
    return malformed([problemAt("", "syntax")]);
  }
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    const text = UTF8.decode(bytes);
    return text.charCodeAt(0) === BYTE_ORDER_MARK ? undefined : text;
  } catch {
    return undefined;
  }
}

function malformed(problems: readonly InputProblem[]): JsonReading {
  return { kind: "malformed", problems };
}
