/** One pass over the header section: names, values, duplicates and bounds. */
import type { Refusal } from "../model/outcome.js";
import type { HeaderField, RawRequest } from "../model/request.js";
import { FIELD } from "./names.js";
import type { FieldName } from "./names.js";
import { refusal } from "./refusals.js";

export interface HeaderBounds {
  /** Names, values and four bytes of each line's own. */
  readonly maxHeaderBytes: number;
  readonly maxHeaderCount: number;
}

const BAD_NAME = refusal("malformed-request", "a header field name is no token");
const BAD_VALUE = refusal("malformed-request", "a header field value holds CR, LF or NUL");
const DUPLICATE = refusal("duplicate-header", "a header field that has one value was sent more than once");
const TOO_MANY = refusal("header-section-too-large", "the header section has too many fields");
const TOO_LARGE = refusal("header-section-too-large", "the header section is too large");
const STRAY_PSEUDO = refusal("malformed-request", "a pseudo-header field does not belong to this message");
const STRAY_HOP = refusal(
  "malformed-request",
  "a connection-specific header field stands in an HTTP/2 message",
);

/**
 * Reads header sections one after the other. The object is kept and refilled: a request is read in one go, so no two of them
 * ever meet in it, and nothing but the map is made.
 */
export class FieldReader {
  /** Union of the bits of all fields seen. */
  seen = 0;
  headers: Map<string, string> = new Map();
  /** Pseudo-header fields of HTTP/2. */
  authority: string | undefined;
  pseudoMethod: string | undefined;
  pseudoPath: string | undefined;
  private bytes = 0;
  private count = 0;
  private http2 = false;

  constructor(
    private readonly lookup: (name: string) => FieldName | undefined,
    private readonly bounds: HeaderBounds,
  ) {}

  read(raw: RawRequest["headers"], http2: boolean): Refusal | undefined {
    this.headers = new Map();
    this.seen = 0;
    this.bytes = 0;
    this.count = 0;
    this.http2 = http2;
    this.authority = undefined;
    this.pseudoMethod = undefined;
    this.pseudoPath = undefined;
    if (!isSequence(raw)) return this.readRecord(raw);
    return isFlat(raw) ? this.readFlat(raw) : this.readPairs(raw);
  }

  private readFlat(raw: readonly string[]): Refusal | undefined {
    if (raw.length % 2 !== 0) return BAD_NAME;
    for (let i = 0; i < raw.length; i += 2) {
      const problem = this.add(raw[i] ?? "", raw[i + 1] ?? "");
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  private readPairs(raw: readonly HeaderField[]): Refusal | undefined {
    for (const field of raw) {
      const problem = this.add(field[0], field[1]);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  private readRecord(raw: { readonly [name: string]: string }): Refusal | undefined {
    for (const name of Object.keys(raw)) {
      const problem = this.add(name, raw[name] ?? "");
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  private add(written: string, text: string): Refusal | undefined {
    this.count += 1;
    if (this.count > this.bounds.maxHeaderCount) return TOO_MANY;
    this.bytes += written.length + text.length + 4;
    if (this.bytes > this.bounds.maxHeaderBytes) return TOO_LARGE;
    const field = this.lookup(written);
    if (field === undefined) return BAD_NAME;
    if (splitsField(text)) return BAD_VALUE;
    const value = trimmed(text);
    if ((field.bits & (FIELD.pseudo | FIELD.hopByHop)) !== 0) {
      if ((field.bits & FIELD.pseudo) !== 0) return this.addPseudo(field, value);
      if (this.http2) return STRAY_HOP;
    }
    this.seen |= field.bits;
    const before = this.headers.get(field.name);
    if (before === undefined) {
      this.headers.set(field.name, value);
      return undefined;
    }
    if ((field.bits & FIELD.singleton) !== 0) return DUPLICATE;
    this.headers.set(field.name, before + ((field.bits & FIELD.cookie) !== 0 ? "; " : ", ") + value);
    return undefined;
  }

  /** They exist in HTTP/2 alone, each once and before all other fields (RFC 9113 section 8.3). */
  private addPseudo(field: FieldName, value: string): Refusal | undefined {
    if (!this.http2 || this.headers.size > 0) return STRAY_PSEUDO;
    switch (field.name) {
      case ":authority":
        if (this.authority !== undefined) return DUPLICATE;
        this.authority = value;
        return undefined;
      case ":method":
        if (this.pseudoMethod !== undefined) return DUPLICATE;
        this.pseudoMethod = value;
        return undefined;
      case ":path":
        if (this.pseudoPath !== undefined) return DUPLICATE;
        this.pseudoPath = value;
        return undefined;
      default:
        // `:scheme` is the client's word; what is believed comes from the socket or a trusted proxy.
        return undefined;
    }
  }
}

/** `Array.isArray` does not narrow a union that holds readonly arrays. */
function isSequence(raw: RawRequest["headers"]): raw is readonly HeaderField[] | readonly string[] {
  return Array.isArray(raw);
}

function isFlat(raw: readonly HeaderField[] | readonly string[]): raw is readonly string[] {
  return typeof raw[0] === "string";
}

/**
 * The three characters that split or end a field somewhere behind us (RFC 9110 section 5.5). Three searches are many times
 * faster than a loop on a long token, and the servers' own parsers refuse the other control characters.
 */
function splitsField(text: string): boolean {
  return text.includes("\n") || text.includes("\r") || text.includes("\0");
}

/** Without blanks and tabs around it, and only those: `trim` would also take what is part of a value. */
export function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
