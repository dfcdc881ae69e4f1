/** Files and environment on Node: where `env:` and `file:` references lead. */
import { open } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { strictText } from "../lib/bytes.js";
import type { SecretSource } from "../ports/secrets.js";

/** Far above any key set or list of API keys; a reference that leads to a device or a log ends here. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** Relative paths start at the policy file, not at wherever the process was started. */
function locate(path: string, baseFile: string | undefined): string {
  return baseFile === undefined ? resolve(path) : resolve(dirname(baseFile), path);
}

async function readWhole(path: string): Promise<Buffer> {
  const handle = await open(path, "r");
  try {
    const facts = await handle.stat();
    // A pipe or a device would be read forever.
    if (!facts.isFile()) throw new Error("it is not a regular file");
    if (facts.size > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** @throws Error when the file cannot be read or is no UTF-8 */
export async function readTextFile(path: string, baseFile?: string): Promise<string> {
  const text = strictText(await readWhole(locate(path, baseFile)));
  if (text === undefined) throw new Error("it is not UTF-8 text");
  return text.replace(/^\uFEFF/u, "");
}

/** Editors and `echo` end a file with a newline that is no part of the secret. One, so that a secret may still end in one. */
function withoutNewline(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  if (bytes[end - 1] === 0x0a) end -= bytes[end - 2] === 0x0d ? 2 : 1;
  return bytes.subarray(0, end);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

async function secretOfFile(path: string, baseFile: string | undefined): Promise<Uint8Array | undefined> {
  try {
    return withoutNewline(await readWhole(locate(path, baseFile)));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** `env:NAME` and `file:PATH`; every other kind of reference is unresolved. */
export const nodeSecrets: SecretSource = Object.freeze({
  get(reference: string, baseFile?: string): string | undefined | Promise<Uint8Array | undefined> {
    if (reference.startsWith("env:")) return process.env[reference.slice("env:".length)];
    if (reference.startsWith("file:")) return secretOfFile(reference.slice("file:".length), baseFile);
    return undefined;
  },
});
