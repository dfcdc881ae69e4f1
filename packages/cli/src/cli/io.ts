/** All that a command touches of the world: what is handed in can be stood in for by a test. */
import { createReadStream } from "node:fs";
import { lstat, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { isatty } from "node:tty";

export interface Io {
  out(text: string): void;
  err(text: string): void;
  /** Whether answers may be coloured. */
  readonly colour: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Whether somebody watches what is told besides, such as progress: a terminal. */
  readonly watched: boolean;
  /** Whether somebody types the standard input. */
  readonly typed: boolean;
  /** @throws UsageError when it cannot be read; `-` is the standard input */
  read(path: string): Promise<string>;
  /** A file's lines, one after the other, however long it is; `-` is the standard input. @throws UsageError when it cannot be read */
  lines(path: string): AsyncIterable<string>;
  /** Whether anything at all has this name. */
  exists(path: string): Promise<boolean>;
  /**
   * Writes a file, and the folders that lead to it: where reports are kept, no commit keeps their folder.
   * @param replace whether one of this name may be lost
   * @throws UsageError when it cannot be written, or is there already and may not be lost
   */
  write(path: string, text: string, replace: boolean): Promise<void>;
  /**
   * Writes a new file that only its owner may read.
   * @throws UsageError when it cannot be written, or is there already: what it held would be lost
   */
  writeSecret(path: string, text: string): Promise<void>;
}

/** The command line cannot be obeyed: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";

  constructor(
    message: string,
    readonly help?: string,
  ) {
    super(message);
  }
}

/** Documented in docs/cli.md; scripts rely on them. */
export const EXIT = {
  ok: 0,
  /** The command did its work and found what it looks for. */
  findings: 1,
  /** Wrong usage, or a file that cannot be read. */
  usage: 2,
  /** The command itself broke: a bug of ours. */
  broken: 3,
} as const;

/** Only on a terminal, never with NO_COLOR (no-color.org: set and not empty), never on one that cannot. */
export function mayColour(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  return stream.isTTY === true && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
}

export function processIo(): Io {
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    colour: mayColour(process.stdout, process.env),
    env: process.env,
    now: () => Date.now(),
    typed: isatty(0),
    watched: isatty(2),
    read: readText,
    lines: readLines,
    exists,
    write: async (path, text, replace) => {
      await makeFolderOf(path);
      await writeText(path, text, { flag: replace ? "w" : "wx" });
    },
    writeSecret: (path, text) => writeText(path, text, { flag: "wx", mode: 0o600 }),
  };
}

async function readText(path: string): Promise<string> {
  try {
    return decode(path === "-" ? await readStandardInput() : await readFile(resolve(path)), path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`\`${path}\` cannot be read: ${reasonOf(error, "read")}`);
  }
}

async function* readLines(path: string): AsyncIterable<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const source: AsyncIterable<Uint8Array> = path === "-" ? process.stdin : createReadStream(resolve(path));
  let rest = "";
  try {
    for await (const chunk of source) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
    }
    rest += decoder.decode();
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(`\`${path}\` is no UTF-8 text`);
    throw new UsageError(`\`${path}\` cannot be read: ${reasonOf(error, "read")}`);
  }
  if (rest !== "") yield rest;
}

/** A link that leads nowhere is there too: what is written would land where it points. */
async function exists(path: string): Promise<boolean> {
  return await lstat(resolve(path)).then(
    () => true,
    () => false,
  );
}

async function makeFolderOf(path: string): Promise<void> {
  try {
    await mkdir(dirname(resolve(path)), { recursive: true });
  } catch (error) {
    throw new UsageError(`\`${path}\` cannot be written: ${reasonOf(error, "folder")}`);
  }
}

async function writeText(
  path: string,
  text: string,
  options: { readonly flag: "w" | "wx"; readonly mode?: number },
): Promise<void> {
  try {
    await writeFile(resolve(path), text, options);
  } catch (error) {
    throw new UsageError(`\`${path}\` cannot be written: ${reasonOf(error, "write")}`);
  }
}

/** Not leniently: a replacement character in a policy would be another policy. */
function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new UsageError(`\`${path}\` is no UTF-8 text`);
  }
}

async function readStandardInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const REASONS: ReadonlyMap<unknown, string> = new Map([
  ["ENOENT", "there is no such file"],
  ["EEXIST", "it is there already"],
  ["EACCES", "permission denied"],
  ["EISDIR", "it is a folder"],
  ["ENOTDIR", "a part of its path is a file"],
]);

/** @param of what failed: the same code means another thing there */
export function reasonOf(error: unknown, of: "read" | "write" | "folder"): string {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  if (of === "write" && code === "ENOENT") return "there is no such folder";
  if (of === "folder" && code === "EEXIST") return "a part of its path is a file";
  return REASONS.get(code) ?? (typeof code === "string" ? code : "it failed");
}
