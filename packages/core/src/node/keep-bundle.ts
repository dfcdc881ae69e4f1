/** The last good bundle on disk. */
import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { readTextFile } from "#platform";
import type { BundleKeep } from "../change/follower.js";

/**
 * Keeps the last good bundle in a file, written aside and put in its place whole, so that a crash at any moment leaves the old one or the
 * new one. The folder must exist, and only the service should be able to write there: an older bundle that is put there is believed up to
 * `minRevision`.
 */
export function keepBundle(file: string): BundleKeep {
  return {
    async load(): Promise<string | undefined> {
      try {
        return await readTextFile(file);
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
        throw error;
      }
    },
    async save(text: string): Promise<void> {
      // Of nobody else's: two that write under one name would put half of each in place. Containers all have process 1.
      const aside = `${file}.${randomUUID()}.tmp`;
      try {
        await writeThrough(aside, text);
        await rename(aside, file);
        await syncFolder(dirname(file));
      } catch (error) {
        await rm(aside, { force: true });
        throw error;
      }
    },
  };
}

/** On the disk itself before it gets its name: after a power cut the name must not stand for nothing. */
async function writeThrough(file: string, text: string): Promise<void> {
  // `wx`: a link that somebody put there is not followed.
  const handle = await open(file, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // Not every system lets a folder be opened; the file itself is whole either way.
  }
}
