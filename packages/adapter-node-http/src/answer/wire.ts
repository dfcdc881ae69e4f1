/** The last step out: fields and bytes to Node's own methods, as they were before the guard stood in front of them. */
import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { HeaderField } from "@gatehouse/core";
import { isHttp2 } from "../types.js";
import { countInNumbers, forgetRefusedHead, sendInOne, takesLines, writeHeadWith } from "./inner.js";
import { linesOf, repeats } from "./lines.js";

export type Chunk = string | Uint8Array;
export type Done = (error?: Error | null) => void;

/** The methods as they were: Node's, or another wrapper's that was there first. Written out, because `call` knows one overload alone. */
export interface Native {
  readonly writeHead: (
    this: ServerResponse,
    status: number,
    fields: OutgoingHttpHeaders | OutgoingHttpHeader[],
  ) => unknown;
  readonly write: (this: ServerResponse, chunk: unknown, encoding: BufferEncoding, done?: Done) => boolean;
  readonly end: (this: ServerResponse, chunk?: unknown, encoding?: BufferEncoding, done?: Done) => unknown;
  readonly flushHeaders: (this: ServerResponse) => void;
  readonly setHeader: (this: ServerResponse, name: string, value: OutgoingHttpHeader) => unknown;
  readonly appendHeader: (this: ServerResponse, name: string, value: OutgoingHttpHeader) => unknown;
  readonly removeHeader: (this: ServerResponse, name: string) => void;
  readonly getHeader: (this: ServerResponse, name: string) => OutgoingHttpHeader | undefined;
  readonly getHeaders: (this: ServerResponse) => OutgoingHttpHeaders;
  readonly getHeaderNames: (this: ServerResponse) => string[];
  readonly hasHeader: (this: ServerResponse, name: string) => boolean;
  readonly addTrailers: (this: ServerResponse, fields: [string, string][] | OutgoingHttpHeaders) => void;
}

/** One object of one shape, made by plain reads: cheaper than asking whether anybody wrapped the response before. */
export function nativeOf(res: ServerResponse): Native {
  const native: Native = res as unknown as Native;
  return {
    writeHead: native.writeHead,
    write: native.write,
    end: native.end,
    flushHeaders: native.flushHeaders,
    setHeader: native.setHeader,
    appendHeader: native.appendHeader,
    removeHeader: native.removeHeader,
    getHeader: native.getHeader,
    getHeaders: native.getHeaders,
    getHeaderNames: native.getHeaderNames,
    hasHeader: native.hasHeader,
    addTrailers: native.addTrailers,
  };
}

/** Fields of one connection, which HTTP/2 has no room for (RFC 9113 section 8.2.2). */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

const NOTHING_OWED: readonly HeaderField[] = [];

/**
 * No reason phrase of the handler's: it would be a way around redaction, and HTTP/2 and fetch have none.
 * @param owed constant fields that may be among them
 * @throws what Node's `writeHead` throws
 */
export function sendHead(
  res: ServerResponse,
  native: Native,
  status: number,
  fields: readonly HeaderField[],
  owed: readonly HeaderField[] = NOTHING_OWED,
): void {
  if (isHttp2(res.req)) {
    native.writeHead.call(res, status, recordOf(fields.filter(([name]) => !ofTheConnection(name))));
    return;
  }
  res.statusMessage = "";
  try {
    const lines = takesLines(native.writeHead) ? linesOf(fields, owed) : undefined;
    if (lines === undefined) native.writeHead.call(res, status, flatList(fields));
    else writeHeadWith(res, lines.text, status, flatList(lines.left));
    if (res.strictContentLength) countInNumbers(res);
  } catch (error) {
    // Or the answer in its place would state a length and have no content, and the next one be read as its rest.
    forgetRefusedHead(res);
    throw error;
  }
}

/** HTTP/2 takes no list of them. */
export function setTrailers(res: ServerResponse, native: Native, fields: readonly HeaderField[]): void {
  const pairs = fields.map(([name, value]): [string, string] => [name, value]);
  native.addTrailers.call(res, isHttp2(res.req) ? recordOf(fields) : pairs);
}

/** The last of a body, behind a head that has been written. */
export function endWith(
  res: ServerResponse,
  native: Native,
  chunk: Chunk | undefined,
  encoding: BufferEncoding,
  done?: Done,
): void {
  const left = sendInOne(res, native.end, chunk, encoding) ? undefined : asBuffer(chunk);
  native.end.call(res, left, encoding, done);
}

/** Whoever wraps `end` may ask bytes for their text, which only a buffer tells. */
function asBuffer(chunk: Chunk | undefined): string | Buffer | undefined {
  if (chunk === undefined || typeof chunk === "string" || Buffer.isBuffer(chunk)) return chunk;
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

function ofTheConnection(name: string): boolean {
  return OF_THE_CONNECTION.has(name.toLowerCase());
}

/**
 * A flat list is what Node writes with the least work. Where fields were set on the response before, it keeps only the last of a
 * repeated name, so repeats go as a record of arrays.
 */
function flatList(fields: readonly HeaderField[]): string[] | OutgoingHttpHeaders {
  const flat: string[] = [];
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index];
    if (field === undefined) continue;
    if (repeats(fields, index)) return recordOf(fields);
    flat.push(field[0], field[1]);
  }
  return flat;
}

function recordOf(fields: readonly HeaderField[]): OutgoingHttpHeaders {
  const names = new Map<string, string>();
  const record = Object.create(null) as Record<string, string | string[]>;
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    const known = names.get(lower);
    if (known === undefined) {
      names.set(lower, name);
      record[name] = value;
      continue;
    }
    const before = record[known];
    if (before !== undefined) record[known] = Array.isArray(before) ? [...before, value] : [before, value];
  }
  return record;
}
