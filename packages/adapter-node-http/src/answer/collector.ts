/** The bytes of an answer that a rule has to see as a whole. */
import type { Chunk } from "./wire.js";

export class Collector {
  private only: Chunk | undefined = undefined;
  private chunks: Uint8Array[] | undefined = undefined;
  private size = 0;

  constructor(private readonly limit: number) {}

  /** False: that is more than the limit, and nothing is kept any more. */
  add(chunk: Chunk, encoding: BufferEncoding | undefined): boolean {
    if (typeof chunk === "string") {
      this.size += Buffer.byteLength(chunk, encoding);
      if (this.size > this.limit) return this.clear();
      // One text in one piece, the usual answer, is read as it stands.
      if (this.size > 0 && this.only === undefined && this.chunks === undefined && isUtf8(encoding)) {
        this.only = chunk;
        return true;
      }
      return this.push(Buffer.from(chunk, encoding));
    }
    this.size += chunk.byteLength;
    if (this.size > this.limit) return this.clear();
    // Copied: the handler may use its buffer again once it was told that the chunk is written.
    return this.push(Buffer.from(chunk));
  }

  /** Undefined: nothing was written. */
  body(): Chunk | undefined {
    if (this.chunks === undefined) return this.only;
    return Buffer.concat(this.chunks);
  }

  private push(bytes: Uint8Array): boolean {
    this.chunks ??= this.only === undefined ? [] : [Buffer.from(this.only as string)];
    this.only = undefined;
    this.chunks.push(bytes);
    return true;
  }

  private clear(): false {
    this.only = undefined;
    this.chunks = [];
    return false;
  }
}

function isUtf8(encoding: BufferEncoding | undefined): boolean {
  return encoding === undefined || encoding === "utf8" || encoding === "utf-8";
}
