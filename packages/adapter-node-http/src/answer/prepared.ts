/** Is what arrives at the wire what was shaped before? Compression on the way is welcome; any other change is not. */
import * as zlib from "node:zlib";
import type { HeaderField, ShapedResponse } from "@gatehouse/core";
import { bytesOf } from "./framing.js";
import type { Chunk } from "./wire.js";

type Decode = (bytes: Uint8Array, options: zlib.ZlibOptions) => Uint8Array;

/** Node 22.15 and newer have it, and compressors prefer it there. */
const { zstdDecompressSync } = zlib as { readonly zstdDecompressSync?: Decode };

/** Content codings that can be undone (RFC 9110 section 8.4.1); an answer under any other is withheld. */
const CODINGS: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ["gzip", zlib.gunzipSync],
  ["x-gzip", zlib.gunzipSync],
  ["deflate", zlib.inflateSync],
  ["br", zlib.brotliDecompressSync],
  ...(zstdDecompressSync === undefined ? [] : [["zstd", zstdDecompressSync] as const]),
]);

/** @param silent no body leaves, as under HEAD: whatever was written says nothing */
export function isPrepared(
  { body }: ShapedResponse,
  arrived: Chunk | undefined,
  fields: readonly HeaderField[],
  silent: boolean,
): boolean {
  if (silent || arrived === body) return true;
  const expected = bytesOf(body ?? "", "utf8");
  const bytes = bytesOf(arrived ?? "", "utf8");
  const coding = codingOf(fields);
  if (coding === undefined) return same(bytes, expected);
  const decode = CODINGS.get(coding);
  if (decode === undefined) return false;
  try {
    return same(decode(bytes, { maxOutputLength: Math.max(1, expected.byteLength) }), expected);
  } catch {
    // No such coding at all, or more behind it than was shaped.
    return false;
  }
}

function codingOf(fields: readonly HeaderField[]): string | undefined {
  const values = fields.filter(([name]) => name.toLowerCase() === "content-encoding");
  if (values.length === 0) return undefined;
  const coding = values
    .map(([, value]) => value)
    .join(",")
    .trim()
    .toLowerCase();
  return coding === "" || coding === "identity" ? undefined : coding;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(b);
}
