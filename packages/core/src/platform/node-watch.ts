/**
 * Files that change on disk. What the system tells is taken as a hint, and the content decides: events name other files, come twice, or
 * never (network mounts, a symbolic link whose target changes elsewhere), so every file is also looked at from time to time.
 */
import { createHash } from "node:crypto";
import { constants, watch, type FSWatcher } from "node:fs";
import { open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { later } from "../lib/timer.js";

export interface WatchTimes {
  /** Quiet that is waited for after an event, so that a file is not read while it is written. */
  readonly settleMs: number;
  /** How often the files are looked at without an event. */
  readonly intervalMs: number;
}

const TIMES: WatchTimes = { settleMs: 100, intervalMs: 15_000 };
/** A folder in which something happens all the time must not put the look off for ever. */
const MOST_SETTLES = 10;
/** Nothing larger is read by anybody here: of such a file the size and time are looked at. */
const LARGEST = 16 * 1024 * 1024;

/**
 * @param changed called when one of them has other content than when it was last looked at, has come or is gone, and once at the beginning:
 *   nobody knows what happened between the caller's reading and the first look
 * @returns ends it
 */
export function watchFiles(
  paths: readonly string[],
  changed: () => void,
  times: WatchTimes = TIMES,
): () => void {
  if (paths.length === 0) return () => undefined;
  const watching = new FileWatch(paths, changed, times);
  return () => watching.close();
}

class FileWatch {
  readonly #folders = new Map<string, { readonly watcher: FSWatcher; readonly id: string }>();
  #known: string | undefined = undefined;
  #settle: (() => void) | undefined = undefined;
  #settles = 0;
  #round: (() => void) | undefined = undefined;
  #looking: Promise<void> | undefined = undefined;
  #again = false;
  #closed = false;

  constructor(
    private readonly paths: readonly string[],
    private readonly changed: () => void,
    private readonly times: WatchTimes,
  ) {
    this.look();
  }

  close(): void {
    this.#closed = true;
    this.#settle?.();
    this.#round?.();
    for (const { watcher } of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  private event(): void {
    if (this.#closed || this.#settles >= MOST_SETTLES) return;
    this.#settles += 1;
    this.#settle?.();
    this.#settle = later(this.times.settleMs, () => this.look());
  }

  /** One look at a time; what is told meanwhile is looked at after it. */
  private look(): void {
    this.#settles = 0;
    if (this.#looking !== undefined) {
      this.#again = true;
      return;
    }
    this.#looking = this.compare().finally(() => {
      this.#looking = undefined;
      if (this.#closed) return;
      this.#round?.();
      this.#round = later(this.times.intervalMs, () => this.look());
      if (this.#again) this.event();
      this.#again = false;
    });
  }

  private async compare(): Promise<void> {
    // Before the reading: what changes after it is an event.
    for (const folder of new Set(this.paths.map((path) => dirname(path)))) await this.arm(folder);
    const prints: string[] = [];
    for (const path of this.paths) prints.push(await fingerprint(path));
    const seen = prints.join("\n");
    if (seen === this.#known) return;
    this.#known = seen;
    if (!this.#closed) this.changed();
  }

  /** The folder rather than the file: an editor puts another file in its place. A folder can be replaced too, so it is told by its number. */
  private async arm(folder: string): Promise<void> {
    const id = await idOf(folder);
    const armed = this.#folders.get(folder);
    if (armed?.id === id || this.#closed) return;
    armed?.watcher.close();
    this.#folders.delete(folder);
    if (id === undefined) return;
    try {
      const watcher = watch(folder, { persistent: false }, () => this.event());
      watcher.on("error", () => this.disarm(folder, watcher));
      this.#folders.set(folder, { watcher, id });
    } catch {
      // No more watches are to be had, or the folder is gone again: the files are still looked at from time to time.
    }
  }

  private disarm(folder: string, watcher: FSWatcher): void {
    watcher.close();
    if (this.#folders.get(folder)?.watcher === watcher) this.#folders.delete(folder);
  }
}

async function idOf(folder: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(folder);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

/** A digest, so that no content is kept; or why there is none. */
async function fingerprint(path: string): Promise<string> {
  try {
    const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const facts = await handle.stat();
      if (!facts.isFile() || facts.size > LARGEST) return `${facts.size} ${facts.mtimeMs}`;
      const digest = createHash("sha256")
        .update(await handle.readFile())
        .digest("hex");
      return `${digest} ${facts.mode}`;
    } finally {
      await handle.close();
    }
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : "unreadable";
  }
}
