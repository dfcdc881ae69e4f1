/** HTTP/1.1 on a bare socket: exactly the bytes of a case go out, and what comes back is read without a client's opinions. */
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { clientCertificate, throwawayCertificate, type Certificate } from "./certificate.js";
import type { PreparedRequest } from "./prepare.js";

export interface WireAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
  /** What came behind it: the next answer of a connection that was kept. */
  readonly rest: Buffer;
}

/** Long enough for any loopback server; an answer that does not come is a difference, not a hang. */
const PATIENCE_MS = 10_000;

/** @returns undefined when the connection ends without a whole answer */
export async function exchangeOverSocket(
  port: number,
  request: PreparedRequest,
): Promise<WireAnswer | undefined> {
  const socket = await open(port, request);
  try {
    socket.write(bytesOf(request));
    return await answerOn(socket, request.method);
  } finally {
    socket.destroy();
  }
}

/**
 * Sends a request of which the body does not come.
 * @returns leaves
 */
export async function beginOverSocket(port: number, request: PreparedRequest): Promise<() => void> {
  const socket = await open(port, request);
  socket.write(bytesOf({ ...request, body: undefined }));
  return () => void socket.destroy();
}

/** Key and certificate of the client, where it has one. */
export function clientOptions({ clientCertificate: name }: PreparedRequest): Partial<Certificate> {
  if (name === undefined) return {};
  const { key, cert } = clientCertificate(name);
  return { key, cert };
}

function open(port: number, request: PreparedRequest): Promise<Socket> {
  const { https, ip } = request;
  const to = { port, host: "127.0.0.1", localAddress: ip };
  return new Promise((resolve, reject) => {
    const socket = https
      ? connectTls({
          ...to,
          ...clientOptions(request),
          ca: throwawayCertificate().cert,
          servername: "a.test",
        })
      : connect(to);
    socket.once("error", reject);
    socket.once(https ? "secureConnect" : "connect", () => {
      socket.removeListener("error", reject);
      // A server that closes early resets the connection: what it answered before counts.
      socket.on("error", () => undefined);
      resolve(socket);
    });
  });
}

function bytesOf({ method, target, headers, body, httpVersion, upgrade }: PreparedRequest): Buffer {
  const lines = [`${method} ${target} HTTP/${httpVersion}`];
  const names = new Set<string>();
  for (const [name, value] of headers) {
    names.add(name.toLowerCase());
    lines.push(`${name}: ${value}`);
  }
  if (upgrade && !names.has("connection")) lines.push("Connection: Upgrade");
  if (upgrade && !names.has("upgrade")) lines.push("Upgrade: websocket");
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  if (body === undefined) return head;
  return Buffer.concat(
    names.has("transfer-encoding") ? [head, chunk(body), chunk(new Uint8Array())] : [head, body],
  );
}

function chunk(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
}

function answerOn(socket: Socket, method: string): Promise<WireAnswer | undefined> {
  return new Promise((resolve) => {
    let received = Buffer.alloc(0);
    const timer = setTimeout(() => done(undefined), PATIENCE_MS);
    const done = (answer: WireAnswer | undefined): void => {
      clearTimeout(timer);
      socket.removeAllListeners("data");
      resolve(answer);
    };
    socket.on("data", (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      const answer = parseAnswer(received, method, false);
      if (answer !== undefined) done(answer);
    });
    socket.once("close", () => done(parseAnswer(received, method, true)));
  });
}

/**
 * The first final answer in these bytes; undefined while it is not whole.
 * @param ended no more bytes will come, which ends a body that says nothing of its length
 */
export function parseAnswer(bytes: Buffer, method: string, ended: boolean): WireAnswer | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [line = "", ...fields] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const status = Number(line.split(" ")[1]);
  const rest = bytes.subarray(end + 4);
  if (status >= 100 && status < 200 && status !== 101) return parseAnswer(rest, method, ended);
  const headers = fields.map((field): readonly [string, string] => {
    const colon = field.indexOf(":");
    return [field.slice(0, colon), field.slice(colon + 1).trim()];
  });
  const head = { method, status, headers };
  const framed = bodyOf(rest, head, ended);
  return framed === undefined ? undefined : { status, headers, ...framed };
}

interface Head {
  readonly method: string;
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
}

interface Framed {
  readonly body: Buffer;
  readonly rest: Buffer;
}

/** RFC 9112 section 6.3. */
function bodyOf(bytes: Buffer, { method, status, headers }: Head, ended: boolean): Framed | undefined {
  const field = (wanted: string): string | undefined =>
    headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
  const none = method === "HEAD" || status === 101 || status === 204 || status === 304;
  if (!none && field("transfer-encoding") !== undefined) return unchunk(bytes);
  const stated = none ? "0" : field("content-length");
  if (stated === undefined) return ended ? { body: bytes, rest: Buffer.alloc(0) } : undefined;
  const length = Number(stated);
  return bytes.length < length
    ? undefined
    : { body: bytes.subarray(0, length), rest: bytes.subarray(length) };
}

function unchunk(bytes: Buffer): Framed | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const line = bytes.indexOf("\r\n", at);
    if (line < 0) return undefined;
    const size = Number.parseInt(bytes.subarray(at, line).toString("latin1"), 16);
    const begin = line + 2;
    if (Number.isNaN(size)) return undefined;
    if (size === 0) {
      // Trailers, if any, end with an empty line like a head.
      const end = bytes.indexOf("\r\n\r\n", line);
      return end < 0 ? undefined : { body: Buffer.concat(parts), rest: bytes.subarray(end + 4) };
    }
    if (bytes.length < begin + size + 2) return undefined;
    parts.push(bytes.subarray(begin, begin + size));
    at = begin + size + 2;
  }
}
