/**
 * One answer of HTTP/1.1, read as it stands on the wire. Node's own client would refuse, merge or hide what a probe is there to see:
 * repeated fields, bytes behind the answer to HEAD, an answer before the request is over.
 */
export type HeaderField = readonly [name: string, value: string];

export interface Answer {
  readonly status: number;
  readonly fields: readonly HeaderField[];
  readonly body: Uint8Array;
  /** Bytes that stand where none may: behind an answer to HEAD, or behind 204 and 304. */
  readonly surplus: number;
}

export interface Progress {
  readonly answer: Answer | undefined;
  /** The framing says that nothing more comes. */
  readonly complete: boolean;
}

const NOTHING: Progress = { answer: undefined, complete: false };

/** @param ended whether the server has closed its end */
export function readAnswer(bytes: Buffer, method: string, ended: boolean): Progress {
  let head = headOf(bytes);
  // 101 is the last answer of this protocol; other interim ones come before the answer (RFC 9110 section 15.2).
  while (head !== undefined && head.status < 200 && head.status !== 101) head = headOf(head.rest);
  if (head === undefined) return NOTHING;
  const { status, rest } = head;
  const fields = head.lines.map(fieldOf);
  if (status === 101) return { answer: { status, fields, body: EMPTY, surplus: 0 }, complete: true };
  if (method === "HEAD" || status === 204 || status === 304)
    return { answer: { status, fields, body: EMPTY, surplus: rest.length }, complete: ended };
  const { body, complete } = bodyOf(rest, fields, ended);
  return { answer: { status, fields, body, surplus: 0 }, complete };
}

const EMPTY = new Uint8Array();

interface Head {
  readonly status: number;
  readonly lines: readonly string[];
  /** What stands behind it. */
  readonly rest: Buffer;
}

function headOf(bytes: Buffer): Head | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [first = "", ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const [, code = ""] = /^HTTP\/1\.[01] (\d{3})(?: |$)/u.exec(first) ?? [];
  return code === "" ? undefined : { status: Number(code), lines, rest: bytes.subarray(end + 4) };
}

function fieldOf(line: string): HeaderField {
  const colon = line.indexOf(":");
  return colon < 0 ? [line, ""] : [line.slice(0, colon), line.slice(colon + 1).trim()];
}

function bodyOf(
  rest: Buffer,
  fields: readonly HeaderField[],
  ended: boolean,
): { readonly body: Uint8Array; readonly complete: boolean } {
  const value = (wanted: string): string | undefined =>
    fields.find(([name]) => name.toLowerCase() === wanted)?.[1];
  if (/\bchunked\s*$/iu.test(value("transfer-encoding") ?? "")) return unchunked(rest);
  const length = value("content-length");
  if (length === undefined || !/^\d{1,15}$/u.test(length)) return { body: rest, complete: ended };
  return { body: rest.subarray(0, Number(length)), complete: rest.length >= Number(length) };
}

function unchunked(rest: Buffer): { readonly body: Uint8Array; readonly complete: boolean } {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const end = rest.indexOf("\r\n", at);
    const [, digits] =
      /^([\da-f]{1,8})\s*(?:;|$)/iu.exec(rest.subarray(at, Math.max(at, end)).toString("latin1")) ?? [];
    // Whatever else `parseInt` takes: behind a size below zero the same line would be read again.
    if (digits === undefined) return { body: Buffer.concat(parts), complete: false };
    const size = Number.parseInt(digits, 16);
    if (size === 0) return { body: Buffer.concat(parts), complete: true };
    parts.push(rest.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}

/** All values of a field, in order. */
export function valuesOf(fields: readonly HeaderField[], name: string): readonly string[] {
  return fields.filter(([one]) => one.toLowerCase() === name).map(([, value]) => value);
}

/** The JSON of a body; undefined where it is none. */
export function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)) as unknown;
  } catch {
    return undefined;
  }
}
