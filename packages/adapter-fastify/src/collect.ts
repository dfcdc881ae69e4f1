/** A stream whose whole a rule has to see. */

export function isStream(payload: unknown): payload is AsyncIterable<unknown> {
  return typeof payload === "object" && payload !== null && Symbol.asyncIterator in payload;
}

/** @throws Error (rejects) for more bytes than `limit`, or with the stream's own error */
export async function collect(stream: AsyncIterable<unknown>, limit: number): Promise<Buffer> {
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
