/** Where an answer ends (RFC 9112 section 6). */
import type { ServerResponse } from "node:http";
import type { HeaderField, ShapedResponse } from "@gatehouse/core";
import type { Chunk } from "./wire.js";

/**
 * With the length of what is sent, whatever the handler said of it.
 * @param length of the body in bytes
 */
export function framed(
  res: ServerResponse,
  { status, headers }: ShapedResponse,
  length: number,
): readonly HeaderField[] {
  if (res.req.method === "HEAD" || status === 304) {
    const bare = status === 204 || promised(headers) === NONSENSE;
    return headers.filter(([name]) => (bare ? !isFraming(name) : name.toLowerCase() !== "trailer"));
  }
  const stated = String(length);
  if (status !== 204 && isFramedAs(headers, stated)) return headers;
  const rest = headers.filter(([name]) => !isFraming(name));
  // RFC 9110 section 8.6: none on a 204.
  if (status !== 204) rest.push(["Content-Length", stated]);
  return rest;
}

/** What the engine writes itself it has counted, and nothing is left to be done. */
function isFramedAs(fields: readonly HeaderField[], length: string): boolean {
  let counted = 0;
  for (const [name, value] of fields) {
    if (!isFraming(name)) continue;
    if (name.length !== 14 || value !== length) return false;
    counted += 1;
  }
  return counted === 1;
}

export function mayHaveBody(res: ServerResponse, status: number): boolean {
  return res.req.method !== "HEAD" && status !== 204 && status !== 304 && status >= 200;
}

function isFraming(name: string): boolean {
  // Lengths first: this is asked of every field of every answer.
  if (name.length !== 14 && name.length !== 17 && name.length !== 7) return false;
  const lower = name.toLowerCase();
  // Trailers need chunks: Node throws where they are announced beside a length.
  return lower === "content-length" || lower === "transfer-encoding" || lower === "trailer";
}

/** Fields for an answer without its body, with the length that another list gives to it. */
export function lengthAs(shaped: readonly HeaderField[], fields: readonly HeaderField[]): HeaderField[] {
  return [
    ...fields.filter(([name]) => !isFraming(name)),
    ...shaped.filter(([name]) => name.toLowerCase() === "content-length"),
  ];
}

export function isFramed(fields: readonly HeaderField[]): boolean {
  for (const field of fields) if (isFraming(field[0])) return true;
  return false;
}

/** What `promised` says where there is no number to say. */
export const UNSAID = -1;
export const CHUNKS = -2;
/** Two lengths, one that is no number, or a coding whose end is not its last chunk. */
export const NONSENSE = -3;

/**
 * Where an answer ends by its fields: behind so many bytes, or one of the above. Node writes what it was given: of nonsense each client
 * would make something else, and take what is left for the next answer.
 */
export function promised(fields: readonly HeaderField[]): number {
  let end = UNSAID;
  for (const [name, value] of fields) {
    if (name.length !== 14 && name.length !== 17) continue;
    const lower = name.toLowerCase();
    const said =
      lower === "content-length" ? counted(value) : lower === "transfer-encoding" ? coded(value) : UNSAID;
    if (said === UNSAID) continue;
    if (said === NONSENSE || end !== UNSAID) return NONSENSE;
    end = said;
  }
  return end;
}

function counted(value: string): number {
  const length = /^\d+$/.test(value) ? Number(value) : NONSENSE;
  return Number.isSafeInteger(length) ? length : NONSENSE;
}

function coded(value: string): number {
  return value.toLowerCase() === "chunked" ? CHUNKS : NONSENSE;
}

/** An answer that has no content has nothing that ends, and HTTP/1.0 knows no chunks (RFC 9112 section 6.1). */
export function unframed(
  res: ServerResponse,
  status: number,
  fields: readonly HeaderField[],
  end: number,
): readonly HeaderField[] {
  const without = status === 204 || (end === CHUNKS && res.req.httpVersion === "1.0");
  return without && end !== UNSAID ? fields.filter(([name]) => !isFraming(name)) : fields;
}

export function declaredTrailers(fields: readonly HeaderField[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [name, value] of fields) {
    if (name.toLowerCase() !== "trailer") continue;
    for (const one of value.split(",")) names.add(one.trim().toLowerCase());
  }
  return names;
}

export function lengthOf(chunk: Chunk, encoding: BufferEncoding | undefined): number {
  return typeof chunk === "string" ? Buffer.byteLength(chunk, encoding) : chunk.byteLength;
}

export function bytesOf(chunk: Chunk, encoding: BufferEncoding | undefined): Uint8Array {
  return typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk;
}

export function asText(shaped: ShapedResponse): ShapedResponse {
  const { body } = shaped;
  if (!(body instanceof Uint8Array)) return shaped;
  return { ...shaped, body: Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString() };
}

/** Whoever gets it may write into its bytes, and then has others than these. */
export function withOwnBytes(shaped: ShapedResponse): ShapedResponse {
  const { body, ascii } = shaped;
  if (body instanceof Uint8Array) return { ...shaped, body: Buffer.from(body) };
  return ascii === true ? { ...shaped, body: Buffer.from(body ?? "", "latin1"), ascii: false } : shaped;
}
