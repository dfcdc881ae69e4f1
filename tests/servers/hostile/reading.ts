/** The answers of one connection, read by the letter of RFC 9112: where an answer ends is where the next one begins, and nothing else. */

export interface Asked {
  readonly method: string;
  /** The client said that it waits. */
  readonly expects: boolean;
}

export interface ReadAnswer {
  readonly status: number;
  readonly fields: readonly (readonly [string, string])[];
  /** Without its framing. */
  readonly body: string;
  readonly trailers: readonly (readonly [string, string])[];
  /** False: the connection ended within it. */
  readonly whole: boolean;
}

const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\0\r\n]*?)[ \t]*$/;
const LINE = /^HTTP\/1\.1 ([1-9]\d\d) [^\0\r\n]*$/;

class Unreadable extends Error {}

/**
 * @param bytes latin1, everything that came until the connection ended
 * @param asked the requests in their order; what comes behind the last has no request, and is an answer to what the parser refused
 * @throws Error that says what is wrong, and where
 */
export function readAnswers(bytes: string, asked: readonly Asked[]): ReadAnswer[] {
  const answers: ReadAnswer[] = [];
  let at = 0;
  let closing = false;
  while (at < bytes.length) {
    const of = asked[answers.length] ?? { method: "GET", expects: false };
    try {
      if (closing) throw new Unreadable("bytes behind an answer that closes");
      const { answer, end } = one(bytes, at, of);
      if (answer !== undefined) {
        answers.push(answer);
        closing = answer.fields.some(([name, value]) => name === "connection" && /\bclose\b/i.test(value));
      }
      at = end;
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      throw new Error(`${error.message}, in answer ${answers.length}, at ${at} of ${JSON.stringify(bytes)}`, {
        cause: error,
      });
    }
  }
  return answers;
}

interface Read {
  /** Undefined: an interim answer that was asked for. */
  readonly answer: ReadAnswer | undefined;
  readonly end: number;
}

function one(bytes: string, from: number, { method, expects }: Asked): Read {
  const end = bytes.indexOf("\r\n\r\n", from);
  // The connection was cut within a head: nobody takes that for an answer.
  if (end < 0) return { answer: undefined, end: bytes.length };
  const [line = "", ...lines] = bytes.slice(from, end).split("\r\n");
  const status = Number(LINE.exec(line)?.[1] ?? Number.NaN);
  if (Number.isNaN(status)) throw new Unreadable(`\`${line}\` is no status line`);
  const fields = lines.map(fieldOf);
  const start = end + 4;
  if (status === 100 && expects && fields.length === 0) return { answer: undefined, end: start };
  if (status < 200) throw new Unreadable(`nobody asked for a ${status}`);
  const framed = bodyOf(bytes, start, { method, status, fields });
  return { answer: { status, fields, ...framed }, end: framed.end };
}

function fieldOf(line: string): readonly [string, string] {
  const [, name, value] = FIELD.exec(line) ?? [];
  if (name === undefined || value === undefined) throw new Unreadable(`\`${line}\` is no field`);
  return [name.toLowerCase(), value];
}

interface Body {
  readonly body: string;
  readonly trailers: readonly (readonly [string, string])[];
  readonly whole: boolean;
  readonly end: number;
}

function bodyOf(
  bytes: string,
  start: number,
  { method, status, fields }: { method: string; status: number; fields: ReadAnswer["fields"] },
): Body {
  const of = (wanted: string): string[] =>
    fields.flatMap(([name, value]) => (name === wanted ? [value] : []));
  const [length, ...lengths] = of("content-length");
  const [coding, ...codings] = of("transfer-encoding");
  if (lengths.length > 0 || codings.length > 0) throw new Unreadable("two fields say where it ends");
  if (length !== undefined && coding !== undefined) throw new Unreadable("both length and chunks");
  if (length !== undefined && !/^\d+$/.test(length)) throw new Unreadable(`a length of \`${length}\``);
  if (coding !== undefined && coding.toLowerCase() !== "chunked")
    throw new Unreadable(`a coding of \`${coding}\``);
  if (status === 204 && (length ?? coding) !== undefined) throw new Unreadable("a 204 with a length");
  const none = { body: "", trailers: [], whole: true, end: start };
  if (method === "HEAD" || status === 204 || status === 304) return none;
  if (coding !== undefined) return chunked(bytes, start, of("trailer"));
  // Nothing says where it ends, so that the connection does: whoever reads on finds what is not of this answer.
  if (length === undefined) return { ...none, body: bytes.slice(start), end: bytes.length };
  const end = start + Number(length);
  return {
    ...none,
    body: bytes.slice(start, end),
    whole: end <= bytes.length,
    end: Math.min(end, bytes.length),
  };
}

function chunked(bytes: string, start: number, declared: readonly string[]): Body {
  let body = "";
  let at = start;
  const cut = (): Body => ({ body, trailers: [], whole: false, end: bytes.length });
  for (;;) {
    const line = bytes.indexOf("\r\n", at);
    if (line < 0) return cut();
    const size = bytes.slice(at, line);
    if (!/^[0-9a-fA-F]+$/.test(size)) throw new Unreadable(`\`${size}\` is no size of a chunk`);
    const length = Number.parseInt(size, 16);
    at = line + 2;
    if (length === 0) break;
    body += bytes.slice(at, at + length);
    if (at + length + 2 > bytes.length) return cut();
    if (bytes.slice(at + length, at + length + 2) !== "\r\n") throw new Unreadable("a chunk that goes on");
    at += length + 2;
  }
  const trailers: (readonly [string, string])[] = [];
  for (;;) {
    const line = bytes.indexOf("\r\n", at);
    if (line < 0) return cut();
    const field = bytes.slice(at, line);
    at = line + 2;
    if (field === "") return { body, trailers, whole: true, end: at };
    const trailer = fieldOf(field);
    const names = declared.flatMap((value) =>
      value
        .toLowerCase()
        .split(",")
        .map((name) => name.trim()),
    );
    if (!names.includes(trailer[0])) throw new Unreadable(`a trailer \`${trailer[0]}\` that nobody declared`);
    trailers.push(trailer);
  }
}
