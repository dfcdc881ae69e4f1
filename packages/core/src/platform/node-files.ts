/** Files and environment on Node: where `env:` and `file:` references lead. */
import { constants } from "node:fs";
import { open, statfs, type FileHandle } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { strictText } from "../lib/bytes.js";
import { SecretError, type SecretSource } from "../ports/secrets.js";
import { watchFiles } from "./node-watch.js";

/** Far above any key set or list of API keys; a reference that leads to a device or a log ends here. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** Relative paths start at the policy file, not at wherever the process was started. */
function locate(path: string, baseFile: string | undefined): string {
  return baseFile === undefined ? resolve(path) : resolve(dirname(baseFile), path);
}

interface Facts {
  readonly mode: number;
  readonly size: number;
  isFile(): boolean;
}

/** @param judge looks at the very file that is read, whatever stands at its path a moment later; what it throws ends the reading */
async function readWhole(path: string, judge?: (facts: Facts) => void): Promise<Buffer> {
  // Without O_NONBLOCK a named pipe would hold a thread until somebody writes to it. Windows has neither.
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const facts = await handle.stat();
    // A pipe or a device would be read forever.
    if (!facts.isFile()) throw new SecretError("it is not a regular file");
    judge?.(facts);
    if (facts.size > MAX_FILE_BYTES) throw new SecretError(`it is larger than ${MAX_FILE_BYTES} bytes`);
    return await readBounded(handle, facts.size);
  } finally {
    await handle.close();
  }
}

/** A file that grows while it is read ends at the bound too. */
async function readBounded(handle: FileHandle, size: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for (;;) {
    const { bytesRead, buffer } = await handle.read({
      buffer: Buffer.alloc(Math.max(size + 1 - length, 4096)),
    });
    if (bytesRead === 0) return Buffer.concat(chunks, length);
    length += bytesRead;
    if (length > MAX_FILE_BYTES) throw new SecretError(`it is larger than ${MAX_FILE_BYTES} bytes`);
    chunks.push(buffer.subarray(0, bytesRead));
  }
}

/** @throws Error when the file cannot be read or is no UTF-8 */
export async function readTextFile(path: string, baseFile?: string): Promise<string> {
  const text = strictText(await readWhole(locate(path, baseFile)));
  if (text === undefined) throw new Error("it is not UTF-8 text");
  return text.replace(/^\uFEFF/u, "");
}

export function watchTextFiles(paths: readonly string[], changed: () => void, baseFile?: string): () => void {
  return watchFiles(
    paths.map((path) => locate(path, baseFile)),
    changed,
  );
}

/** Editors and `echo` end a file with a newline that is no part of the secret. One, so that a secret may still end in one. */
function withoutNewline(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  if (bytes[end - 1] === 0x0a) end -= bytes[end - 2] === 0x0d ? 2 : 1;
  return bytes.subarray(0, end);
}

function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

const BY_OTHERS = { write: 0o002, read: 0o004 } as const;
const BY_GROUP_WRITE = 0o020;
/** Modes of files mean nothing there: access is a matter of lists. */
const WITHOUT_MODES = process.platform === "win32";

/** Who can write a key can be anybody: no mount of secrets has such a mode. */
function refuseWritable({ mode }: Facts): void {
  if (!WITHOUT_MODES && (mode & BY_OTHERS.write) !== 0) {
    throw new SecretError("every user of this machine can write the file: take that right away (chmod o-w)");
  }
}

async function secretOfFile(path: string, baseFile: string | undefined): Promise<Uint8Array | undefined> {
  try {
    return withoutNewline(await readWhole(locate(path, baseFile), refuseWritable));
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT") return undefined;
    throw error instanceof SecretError ? error : new SecretError(`it cannot be read (${code ?? "unknown"})`);
  }
}

/** `tmpfs` and `ramfs`: where Kubernetes and Docker put secrets, readable to all users of a container that is meant to have one. */
const IN_MEMORY = new Set([0x0102_1994, 0x8584_58f6]);

/**
 * Readable to all is the mode in which containers mount secrets (0444, 0644), in memory and for one application: no matter there. On a disk
 * it is told, and used: a mode that is refused at start is a mode that somebody opens wider in a hurry.
 */
async function concernOf(path: string, baseFile: string | undefined): Promise<string | undefined> {
  if (WITHOUT_MODES) return undefined;
  const place = locate(path, baseFile);
  let mode = 0;
  const handle = await open(place, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    ({ mode } = await handle.stat());
  } finally {
    await handle.close();
  }
  const readable = (mode & BY_OTHERS.read) !== 0;
  const writable = (mode & BY_GROUP_WRITE) !== 0;
  if (!readable && !writable) return undefined;
  if (IN_MEMORY.has((await statfs(place)).type)) return undefined;
  return readable
    ? "every user of this machine can read the file (chmod o-r)"
    : "its group can write the file (chmod g-w)";
}

const FILE = "file:";
const ENVIRONMENT = "env:";

/** `env:NAME` and `file:PATH`; every other kind of reference is unresolved. */
export const nodeSecrets: SecretSource = Object.freeze({
  get(reference: string, baseFile?: string): string | undefined | Promise<Uint8Array | undefined> {
    if (reference.startsWith(ENVIRONMENT)) return process.env[reference.slice(ENVIRONMENT.length)];
    if (reference.startsWith(FILE)) return secretOfFile(reference.slice(FILE.length), baseFile);
    return undefined;
  },
  /** Files alone: nobody but the process itself changes its environment. */
  watch(references: readonly string[], changed: () => void, baseFile?: string): () => void {
    const files = references.filter((reference) => reference.startsWith(FILE));
    return watchFiles(
      files.map((reference) => locate(reference.slice(FILE.length), baseFile)),
      changed,
    );
  },
  concern(reference: string, baseFile?: string): string | undefined | Promise<string | undefined> {
    return reference.startsWith(FILE) ? concernOf(reference.slice(FILE.length), baseFile) : undefined;
  },
});
