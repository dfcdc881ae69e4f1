/**
 * Two methods of Node's responses that are not documented, and what they save. Both have been there since Node's first years; where a
 * version does anything else in them than what is tried here once, neither is used.
 */
import {
  IncomingMessage,
  ServerResponse,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
} from "node:http";

type HeadFields = OutgoingHttpHeaders | OutgoingHttpHeader[];
type StoreHeader = (this: ServerResponse, statusLine: string, fields: unknown) => void;

interface Methods {
  readonly writeHead: (this: ServerResponse, status: number, fields: HeadFields) => unknown;
  readonly end: unknown;
  /** `writeHead` calls it on the response, to write the fields behind the status line and to frame the message. */
  readonly _storeHeader: StoreHeader;
  /** Head and first bytes as one text, to the socket or into the queue of a response that is not yet at its turn. */
  readonly _send: (this: ServerResponse, text: string, encoding: BufferEncoding) => boolean;
}

interface Inner extends ServerResponse {
  /** Lines of text, which follow the last chunk. HTTP/2 has none. */
  _trailer?: string;
  _storeHeader: StoreHeader;
  readonly _header: string | null;
  /** False where Node drops what is written as a body: for HEAD, 204, 304. */
  _hasBody: boolean;
  /** Stated for a head that says nothing of it. Node 20.19.0 and 22.12.0 keep it as the text that stood there. */
  _contentLength: number | string | null;
  readonly outputData: readonly { readonly data: unknown; readonly encoding: unknown }[];
}

const NODE = ServerResponse.prototype as unknown as Methods;
const { writeHead, end, _storeHeader: storeHeader, _send: send } = NODE;
const AS_TRIED = behavesAsTried();

/** More bytes than this go faster by themselves than behind their head in one text. */
const SHORT = 16 * 1024;

/** False where something wraps Node's `writeHead`, which then is to see all fields. @param writer the one that will be called */
export function takesLines(writer: unknown): boolean {
  return AS_TRIED && writer === writeHead;
}

/**
 * Where Node refused a head it keeps what that head said of the content: none for a 204 or 304, chunks where it named them, its length,
 * which the next head would state for another text.
 */
export function forgetRefusedHead(res: ServerResponse): void {
  const inner = res as Inner;
  inner._hasBody = res.req.method !== "HEAD";
  inner.chunkedEncoding = false;
  inner._contentLength = null;
}

/**
 * A response that counts strictly compares what was written with the length that its head said, and a Node that keeps the latter as text
 * finds no answer equal to it: `end` throws behind the head, and nothing leaves.
 */
export function countInNumbers(res: ServerResponse): void {
  const inner = res as Inner;
  if (typeof inner._contentLength === "string") inner._contentLength = Number(inner._contentLength);
}

/** What stands in it at the end leaves, whoever set it. */
export function trailerOf(res: ServerResponse): string {
  return (res as Inner)._trailer ?? "";
}

export function setTrailer(res: ServerResponse, trailer: string): void {
  const inner = res as Inner;
  if (inner._trailer !== undefined && inner._trailer !== trailer) inner._trailer = trailer;
}

/** False where something stands before Node's `end`, which may read what it is given as the text that the handler wrote. */
export function isNodes(ender: unknown): boolean {
  return ender === end;
}

/** Of the head that is written now: one function for all answers costs less than one for each. */
let linesBehind = "";

function storeWithLines(this: ServerResponse, statusLine: string, fields: unknown): void {
  storeHeader.call(this, statusLine + linesBehind, fields);
}

/** Node's own `writeHead`, with more lines of the head behind the status line. */
export function writeHeadWith(res: ServerResponse, lines: string, status: number, fields: HeadFields): void {
  const inner = res as Inner;
  const before = linesBehind;
  const { _storeHeader: stored } = inner;
  linesBehind = lines;
  inner._storeHeader = storeWithLines;
  try {
    writeHead.call(res, status, fields);
  } finally {
    // A head that Node refuses is followed by another, which may not have these lines. Nor may that of another answer around this one.
    inner._storeHeader = stored;
    linesBehind = before;
  }
}

/**
 * Node's `end` holds the socket back, writes head, text and an empty text, and hands all to the system as a vector that was allocated for
 * it. One text needs none of that. To be called behind `writeHead`; `end` is still to come, without a chunk.
 * @param ender the `end` that will be called: where something wraps Node's, it is to see the text
 * @returns false where nothing was sent
 */
export function sendInOne(
  res: ServerResponse,
  ender: unknown,
  chunk: string | Uint8Array | undefined,
  encoding: BufferEncoding,
): boolean {
  const { _hasBody: hasBody, chunkedEncoding, strictContentLength, destroyed } = res as Inner;
  if (!AS_TRIED || ender !== end || !fitsInOne(chunk, encoding)) return false;
  // Of these Node's own `end` has more to say.
  if (!hasBody || chunkedEncoding || strictContentLength || destroyed) return false;
  if (typeof chunk === "string") send.call(res, chunk, encoding);
  else send.call(res, latin1Of(chunk), "latin1");
  return true;
}

function fitsInOne(
  chunk: string | Uint8Array | undefined,
  encoding: BufferEncoding,
): chunk is string | Uint8Array {
  if (typeof chunk === "string") return encoding === "utf8" || encoding === "latin1";
  return chunk !== undefined && chunk.byteLength <= SHORT;
}

/** Each byte is a character of it, as each character of a head is a byte. */
function latin1Of({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
}

function behavesAsTried(): boolean {
  try {
    const res = new ServerResponse(new IncomingMessage(undefined as never)) as Inner;
    const seen: unknown[] = [];
    res._storeHeader = function (statusLine, fields) {
      seen.push(statusLine, fields);
      storeHeader.call(this, `${statusLine}A: b\r\n`, fields);
    };
    const list = ["Content-Length", "2"];
    res.writeHead(201, list);
    const line = "HTTP/1.1 201 Created\r\n";
    const head = String(res._header);
    const tells = (res._hasBody as unknown) === true && (res.chunkedEncoding as unknown) === false;
    send.call(res, "ok", "utf8");
    const [queued, ...others] = res.outputData;
    const bytes = new ServerResponse(new IncomingMessage(undefined as never)) as Inner;
    bytes.writeHead(200);
    send.call(bytes, "\u00e9", "latin1");
    const [inBytes] = bytes.outputData;
    return (
      tells &&
      seen.length === 2 &&
      seen[0] === line &&
      seen[1] === list &&
      head.startsWith(`${line}A: b\r\nContent-Length: 2\r\n`) &&
      others.length === 0 &&
      queued?.data === `${head}ok` &&
      queued.encoding === "utf8" &&
      inBytes?.data === `${String(bytes._header)}\u00e9` &&
      inBytes.encoding === "latin1"
    );
  } catch {
    return false;
  }
}
