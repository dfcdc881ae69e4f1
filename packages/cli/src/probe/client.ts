/** Sends bytes and reads what comes back: nothing is mended, followed, kept open or sent twice. */
import { connect, type Socket } from "node:net";
import { connect as connectTls, createSecureContext, type SecureContext } from "node:tls";
import { setTimeout as sleep } from "node:timers/promises";
import { readAnswer, type Answer } from "./answer.js";
import type { Place } from "./place.js";

export interface WireRequest {
  readonly method: string;
  /** As it stands on the request line. */
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly content: Uint8Array | undefined;
}

export type Reply =
  | {
      readonly kind: "answer";
      readonly answer: Answer;
      /** Why this is not all of it: what it holds must not be judged as if it were. */
      readonly cut?: string;
    }
  /** The connection ended without one. */
  | { readonly kind: "closed" }
  /** The connection was refused for whom it comes from, in the handshake or by this status. */
  | { readonly kind: "barred"; readonly by: "handshake" | number }
  | { readonly kind: "late" };

/** Of a client, in PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

export interface ClientOptions {
  /** Certificates to trust, as PEM. */
  readonly ca?: string | undefined;
  /** Milliseconds for one exchange. */
  readonly deadline: number;
}

/** What nobody answers with, and nobody is to fill our memory with. */
const MOST_BYTES = 8 * 1024 * 1024;
/** How long bytes that must not come behind an answer to HEAD are waited for. */
const SURPLUS_MS = 250;

const TRIES = 3;
const TRY_AGAIN_MS = 150;

/** What took requests before takes none now. */
export class GoneError extends Error {
  override readonly name = "GoneError";
}

export class Client {
  /** The one that took a connection: at another there may be another server. */
  #address: string | undefined = undefined;
  /** By whom the connection comes from: to read certificates and keys for each anew takes longer than its handshake. */
  readonly #contexts = new Map<Identity | undefined, SecureContext>();

  constructor(
    private readonly place: Place,
    private readonly options: ClientOptions,
  ) {}

  send(request: WireRequest, identity?: Identity): Promise<Reply> {
    return this.sendBytes(bytesOf(request), request.method, identity);
  }

  /** @throws GoneError (rejects) where nobody listens any more */
  async sendBytes(bytes: Uint8Array, method: string, identity?: Identity): Promise<Reply> {
    const socket = await this.reconnected(identity);
    return await exchange(socket, bytes, method, this.options.deadline);
  }

  /** Over a connection that the server may refuse for whom it comes from: that is an answer too. */
  async sendAs(request: WireRequest, identity: Identity | undefined): Promise<Reply> {
    let socket: Socket;
    try {
      socket = await this.connected(identity);
    } catch (error) {
      return isHandshake(error) ? BARRED : { kind: "closed" };
    }
    return await exchange(socket, bytesOf(request), request.method, this.options.deadline);
  }

  /** The address of this end, as the server sees it where nobody stands between. */
  async localAddress(identity?: Identity): Promise<string> {
    const socket = await this.connected(identity);
    const { localAddress = "127.0.0.1" } = socket;
    socket.destroy();
    return localAddress.replace(/^::ffff:/u, "");
  }

  /** A server that starts again is no server that is gone. */
  private async reconnected(identity: Identity | undefined): Promise<Socket> {
    for (let left = TRIES; left > 0; left -= 1) {
      try {
        return await this.connected(identity);
      } catch {
        if (left > 1) await sleep(TRY_AGAIN_MS);
      }
    }
    throw new GoneError("the server takes no connections any more");
  }

  private async connected(identity?: Identity): Promise<Socket> {
    let problem: unknown;
    for (const address of this.#address === undefined ? this.place.addresses : [this.#address]) {
      try {
        const socket = await this.connectedTo(address, identity);
        this.#address = address;
        return socket;
      } catch (error) {
        problem = error;
      }
    }
    throw problem;
  }

  private contextOf(identity: Identity | undefined): SecureContext {
    const known = this.#contexts.get(identity);
    if (known !== undefined) return known;
    const { ca } = this.options;
    const context = createSecureContext({
      ...(ca === undefined ? {} : { ca }),
      ...(identity === undefined ? {} : { cert: identity.cert, key: identity.key }),
    });
    this.#contexts.set(identity, context);
    return context;
  }

  private connectedTo(host: string, identity: Identity | undefined): Promise<Socket> {
    const { https, port, name: servername } = this.place;
    const { deadline } = this.options;
    return new Promise((resolve, reject) => {
      const socket = https
        ? connectTls({
            host,
            port,
            servername: nameForTls(servername),
            secureContext: this.contextOf(identity),
          })
        : connect({ host, port });
      socket.setNoDelay(true);
      const timer = setTimeout(() => socket.destroy(new Error("no connection in time")), deadline);
      socket.once(https ? "secureConnect" : "connect", () => {
        clearTimeout(timer);
        socket.removeListener("error", reject);
        resolve(socket);
      });
      socket.once("error", (error: Error) => {
        clearTimeout(timer);
        reject(error);
      });
    });
  }
}

const BARRED: Reply = { kind: "barred", by: "handshake" };

/** A server may refuse in the middle of the handshake, or, in TLS 1.3, when the client takes it for done (RFC 8446 section 4.4.2.4). */
function isHandshake(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return code === "EPROTO" || /^ERR_SSL_\w*ALERT/u.test(code);
}

/** An address is no name (RFC 6066 section 3). */
function nameForTls(name: string): string {
  return /^[\d.]+$|:/u.test(name) ? "" : name;
}

function exchange(socket: Socket, bytes: Uint8Array, method: string, deadline: number): Promise<Reply> {
  return new Promise((resolve) => {
    let got = Buffer.alloc(0);
    let failed: Error | undefined;
    let surplus: NodeJS.Timeout | undefined;
    /** @param stopped why no more is read; undefined: the server had said all, or closed */
    const end = (stopped?: string): void => {
      clearTimeout(timer);
      clearTimeout(surplus);
      socket.destroy();
      const { answer, complete } = readAnswer(got, method, true);
      if (answer === undefined && failed !== undefined && isHandshake(failed)) return resolve(BARRED);
      if (answer === undefined) return resolve({ kind: stopped === undefined ? "closed" : "late" });
      const cut = hasContent(answer, method) ? (stopped ?? (complete ? undefined : SHORT)) : undefined;
      resolve({ kind: "answer", answer, ...(cut !== undefined && { cut }) });
    };
    const timer = setTimeout(() => end("it took too long"), deadline);
    socket.on("data", (chunk: Buffer) => {
      got = Buffer.concat([got, chunk]);
      const { answer, complete } = readAnswer(got, method, false);
      if (complete) end();
      else if (got.length > MOST_BYTES) end("it is larger than 8 MB");
      else if (answer !== undefined && method === "HEAD") surplus ??= setTimeout(end, SURPLUS_MS);
    });
    // A server may refuse and close before it has read all: what it said counts, not that writing failed.
    socket.on("error", (error) => {
      failed = error;
      end();
    });
    socket.on("end", () => end());
    socket.on("close", () => end());
    socket.write(bytes);
  });
}

const SHORT = "the connection ended before it did";

/** Else nothing is missing, whatever was waited for. */
function hasContent({ status }: Answer, method: string): boolean {
  return method !== "HEAD" && status !== 101 && status !== 204 && status !== 304;
}

export function bytesOf({ method, target, headers, content }: WireRequest): Uint8Array {
  const head = [`${method} ${target} HTTP/1.1`, ...headers.map((field) => field.join(": ")), "", ""];
  const chunked = headers.some(
    ([name, value]) => name.toLowerCase() === "transfer-encoding" && /\bchunked$/iu.test(value),
  );
  const body = content === undefined ? [] : chunked ? chunksOf(content) : [content];
  return Buffer.concat([Buffer.from(head.join("\r\n"), "latin1"), ...body]);
}

const UTF8 = new TextEncoder();

function chunksOf(content: Uint8Array): readonly Uint8Array[] {
  const last = UTF8.encode("0\r\n\r\n");
  if (content.length === 0) return [last];
  return [Buffer.from(`${content.length.toString(16)}\r\n`), content, UTF8.encode("\r\n"), last];
}
