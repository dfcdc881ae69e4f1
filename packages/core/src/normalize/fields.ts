/** One pass over the header section: names, values, duplicates and bounds. */
import type { Refusal } from "../model/outcome.js";
import type { HeaderField, RawRequest } from "../model/request.js";
import { FieldList } from "./field-list.js";
import { FIELD } from "./names.js";
import type { FieldName, FieldNames } from "./names.js";
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

/** Reads header sections one after the other. The object is kept and refilled: a request is read in one go, so no two of them ever meet in it. */
export class FieldReader {
  /** Union of the bits of all fields seen. */
  seen = 0;
  headers: FieldList = new FieldList([]);
  /** Pseudo-header fields of HTTP/2. */
  authority: string | undefined;
  pseudoMethod: string | undefined;
  pseudoPath: string | undefined;
  private reading = 0;

  constructor(
    private readonly names: FieldNames,
    private readonly bounds: HeaderBounds,
  ) {}

  read(raw: RawRequest["headers"], http2: boolean): Refusal | undefined {
    this.authority = undefined;
    this.pseudoMethod = undefined;
    this.pseudoPath = undefined;
    this.names.begin();
    const read = flatOf(raw);
    // As long as it mostly becomes: a list that grows is copied.
    // oxlint-disable-next-line unicorn/no-new-array -- a length it is
    const flat = new Array<string>(read.length);
    this.headers = new FieldList(flat);
    return this.readFlat(read, http2, flat);
  }

  /** @param flat is filled with what the fields come to */
  private readFlat(raw: readonly string[], http2: boolean, flat: string[]): Refusal | undefined {
    if (raw.length % 2 !== 0) return BAD_NAME;
    const { maxHeaderBytes, maxHeaderCount } = this.bounds;
    const reading = (this.reading += 1);
    let bytes = 0;
    let seen = 0;
    let end = 0;
    for (let i = 0; i < raw.length; i += 2) {
      const written = raw[i] ?? "";
      const text = raw[i + 1] ?? "";
      if (i >= maxHeaderCount * 2) return TOO_MANY;
      bytes += written.length + text.length + 4;
      if (bytes > maxHeaderBytes) return TOO_LARGE;
      const field = this.names.find(written);
      if (field === undefined) return BAD_NAME;
      if (splitsField(text)) return BAD_VALUE;
      const value = trimmed(text);
      const { bits } = field;
      if ((bits & (FIELD.pseudo | FIELD.hopByHop)) !== 0) {
        if ((bits & FIELD.pseudo) !== 0) {
          if (!http2 || end > 0) return STRAY_PSEUDO;
          const problem = this.addPseudo(field, value);
          if (problem !== undefined) return problem;
          continue;
        }
        if (http2) return STRAY_HOP;
      }
      seen |= bits;
      if (field.reading !== reading) {
        field.reading = reading;
        flat[end] = field.name;
        field.at = end + 1;
        flat[field.at] = value;
        end += 2;
      } else if ((bits & FIELD.singleton) !== 0) return DUPLICATE;
      else flat[field.at] += ((bits & FIELD.cookie) !== 0 ? "; " : ", ") + value;
    }
    if (end < flat.length) flat.length = end;
    this.seen = seen;
    return undefined;
  }

  /** They exist in HTTP/2 alone, each once and before all other fields (RFC 9113 section 8.3). */
  private addPseudo(field: FieldName, value: string): Refusal | undefined {
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

/** The form in which Node hands fields over is read as it is. */
function flatOf(raw: RawRequest["headers"]): readonly string[] {
  if (!isSequence(raw)) return Object.entries(raw).flat();
  if (isFlat(raw)) return raw;
  const flat: string[] = [];
  for (const field of raw) flat.push(field[0], field[1]);
  return flat;
}

/** `Array.isArray` does not narrow a union that holds readonly arrays. */
function isSequence(raw: RawRequest["headers"]): raw is readonly HeaderField[] | readonly string[] {
  return Array.isArray(raw);
}

function isFlat(raw: readonly HeaderField[] | readonly string[]): raw is readonly string[] {
  return typeof raw[0] === "string";
}

/** Up to here a loop is faster than three searches; on a long token it is many times slower. */
const SHORT = 12;

/**
 * The three characters that split or end a field somewhere behind us (RFC 9110 section 5.5). The servers' own parsers refuse the other
 * control characters.
 */
function splitsField(text: string): boolean {
  if (text.length > SHORT) return text.includes("\n") || text.includes("\r") || text.includes("\0");
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code <= 13 && (code === 13 || code === 10 || code === 0)) return true;
  }
  return false;
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
