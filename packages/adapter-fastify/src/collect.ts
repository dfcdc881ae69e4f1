/** A stream whose whole a rule has to see. */
import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { ReadableStream } from "node:stream/web";

export function isStream(payload: unknown): payload is AsyncIterable<unknown> {
  return typeof payload === "object" && payload !== null && Symbol.asyncIterator in payload;
}

/**
 * Stays pending when the client leaves, as fastify says nothing of a stream either that nobody is there to read: it is destroyed.
 * @throws Error (rejects) for more bytes than `limit`, or with the stream's own error
 */
export async function collect(
  stream: AsyncIterable<unknown>,
  limit: number,
  res: ServerResponse,
): Promise<Buffer> {
  // A web stream that is being read cannot be cancelled but by its reader.
  const source = stream instanceof ReadableStream ? Readable.fromWeb(stream) : stream;
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      gone = true;
      (source as { destroy?: () => void }).destroy?.();
    };
    let gone = false;
    res.once("close", leave);
    if (res.destroyed) leave();
    wholeOf(source, limit)
      .finally(() => res.removeListener("close", leave))
      .then(
        (bytes) => gone || resolve(bytes),
        (error: unknown) => gone || reject(error as Error),
      );
  });
}

async function wholeOf(stream: AsyncIterable<unknown>, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk as string | Uint8Array);
    size += bytes.byteLength;
    if (size > limit) {
      throw new Error("the answer is larger than `responseLimit`, and a rule needs the whole of it");
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
