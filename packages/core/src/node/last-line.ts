/** How a file of lines ends, however long its lines are: it is read in pieces, so that a log without an end takes no memory. */
import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";

export interface Tail {
  /** SHA-256 of the last line that is whole; null: there is none, or nobody can tell. */
  readonly hash: string | null;
  /** Part of a line stands behind it. */
  readonly cut: boolean;
}

export const NO_TAIL: Tail = { hash: null, cut: false };

type Readable = Pick<FileHandle, "read" | "stat">;

const PIECE = 65_536;
const NEWLINE = 0x0a;

export async function tailOf(file: Readable): Promise<Tail> {
  const { size } = await file.stat();
  if (size === 0) return NO_TAIL;
  const end = await newlineBefore(file, size);
  // Without a newline at its end the last line was cut: a process died, and the line belongs to nobody.
  const cut = end !== size - 1;
  if (end < 0) return { hash: null, cut };
  return { hash: await hashBetween(file, (await newlineBefore(file, end)) + 1, end), cut };
}

/** Where the last one stands before `end`; -1: there is none. */
async function newlineBefore(file: Readable, end: number): Promise<number> {
  for (let to = end; to > 0; to -= PIECE) {
    const from = Math.max(0, to - PIECE);
    const found = (await piece(file, from, to)).lastIndexOf(NEWLINE);
    if (found >= 0) return from + found;
  }
  return -1;
}

async function hashBetween(file: Readable, start: number, end: number): Promise<string> {
  const hash = createHash("sha256");
  for (let from = start; from < end; from += PIECE)
    hash.update(await piece(file, from, Math.min(end, from + PIECE)));
  return hash.digest("base64url");
}

async function piece(file: Readable, from: number, to: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(to - from), 0, to - from, from);
  return buffer.subarray(0, bytesRead);
}
