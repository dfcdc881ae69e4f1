/** The bytes of one request, counted where they come in: a length that somebody stated is not believed. */
import type { RawBody } from "@gatehouse/core";
import { statesContent } from "./request.js";

const NOTHING = new Uint8Array();

export class Intake {
  private readonly held: Uint8Array[] = [];
  private reader: ReadableStreamDefaultReader<unknown> | undefined = undefined;
  private ended = false;

  constructor(private readonly request: Request) {}

  /** True when something of the body was taken out of the request, which is no longer whole then. */
  get touched(): boolean {
    return this.reader !== undefined;
  }

  /**
   * Whether content follows. Where the head does not say, its first bytes do, or its end: an HTTP/2 stream needs no length, and some
   * servers give every POST a stream.
   */
  async hasContent(): Promise<boolean> {
    if (statesContent(this.request)) return this.request.headers.get("content-length") !== "0";
    const { method } = this.request;
    if (method === "GET" || method === "HEAD" || this.isBodyless()) return false;
    if (this.consumed) return true;
    try {
      const chunk = await this.next();
      if (chunk === undefined) return false;
      this.held.push(chunk);
    } catch {
      // The client left: whoever reads on finds that out.
    }
    return true;
  }

  /** Reads at most `limit` bytes and what came with the one that was too many; undefined: the client left before all of it came. */
  async collect(limit: number): Promise<RawBody | undefined> {
    if (this.consumed) return { taken: true };
    let size = this.held.reduce((sum, { length }) => sum + length, 0);
    try {
      while (size <= limit) {
        const chunk = await this.next();
        if (chunk === undefined) return { bytes: joined(this.held, size), complete: true };
        this.held.push(chunk);
        size += chunk.length;
      }
    } catch {
      return undefined;
    }
    return { bytes: joined(this.held, size), complete: false };
  }

  /** The body from its first byte, as if nobody had looked; `exceeded` is called once, and nothing beyond `limit` leaves. */
  stream(limit: number, exceeded: () => Error): ReadableStream<unknown> {
    const held = [...this.held];
    let size = 0;
    return new ReadableStream<unknown>(
      {
        pull: async (controller) => {
          const chunk = held.shift() ?? (await this.next());
          if (chunk === undefined) return controller.close();
          size += chunk.length;
          if (size > limit) controller.error(exceeded());
          else controller.enqueue(chunk);
        },
        cancel: (reason) => this.reader?.cancel(reason),
      },
      { highWaterMark: 0 },
    );
  }

  /** hono's server makes the request when its body is asked for, and of some targets none can be made. They are refused. */
  private isBodyless(): boolean {
    try {
      return this.request.body === null;
    } catch {
      return true;
    }
  }

  private get consumed(): boolean {
    return !this.touched && (this.request.bodyUsed || this.request.body?.locked === true);
  }

  private async next(): Promise<Uint8Array | undefined> {
    if (this.ended) return undefined;
    this.reader ??= this.request.body?.getReader();
    const read = await this.reader?.read();
    if (read === undefined || read.done) {
      this.ended = true;
      return undefined;
    }
    return read.value as Uint8Array;
  }
}

export function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const [first] = chunks;
  if (first === undefined) return NOTHING;
  if (chunks.length === 1) return first;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/**
 * All of a stream, or undefined once it is more than `limit`; then it is cancelled.
 * @param left ends it where it stands: it may have no end of its own
 */
export async function collectStream(
  stream: ReadableStream<unknown>,
  limit: number,
  left: AbortSignal,
): Promise<Uint8Array | undefined> {
  const reader: ReadableStreamDefaultReader<unknown> = stream.getReader();
  const stop = (): void => void reader.cancel().catch(() => undefined);
  left.addEventListener("abort", stop, { once: true });
  try {
    return await readAll(reader, limit);
  } finally {
    left.removeEventListener("abort", stop);
  }
}

async function readAll(
  reader: ReadableStreamDefaultReader<unknown>,
  limit: number,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return joined(chunks, size);
    if (!(value instanceof Uint8Array))
      throw new TypeError("the stream of an answer gave a chunk that is no Uint8Array");
    size += value.length;
    if (size > limit) {
      await reader.cancel().catch(() => undefined);
      return undefined;
    }
    chunks.push(value);
  }
}
