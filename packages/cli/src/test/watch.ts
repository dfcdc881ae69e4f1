/** Waits until one of some files changes. */
import { watch, type FSWatcher } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { parsePolicy, type PolicyDocument } from "@gatehouse/core";
import { isRecord } from "../lib/json.js";
import { readPolicyTests } from "@gatehouse/core/testing";

/** Editors write a file in several steps; what comes within this many milliseconds is one change. */
const DEBOUNCE_MS = 100;

export interface FileWatch {
  /** Resolves when one of the files has changed since the watch began. */
  readonly changed: Promise<void>;
  close(): void;
}

/** Whole folders are watched: many editors replace a file, and a watch of the old one would see nothing more. */
export function watchFiles(paths: readonly string[], debounceMs = DEBOUNCE_MS): FileWatch {
  const names = new Map<string, Set<string>>();
  for (const path of paths) {
    const folder = dirname(resolve(path));
    names.set(folder, (names.get(folder) ?? new Set()).add(basename(path)));
  }
  const watchers: FSWatcher[] = [];
  let timer: NodeJS.Timeout | undefined;
  const changed = new Promise<void>((done) => {
    for (const [folder, own] of names) {
      const watcher = tryWatch(folder, (name) => {
        // Some platforms do not say which file it was.
        if (name !== null && !own.has(name)) return;
        clearTimeout(timer);
        timer = setTimeout(done, debounceMs);
      });
      if (watcher !== undefined) watchers.push(watcher);
    }
  });
  return {
    changed,
    close() {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}

/** A folder that is not there yet says nothing. */
function tryWatch(folder: string, onChange: (name: string | null) => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, (_event, name) => onChange(name));
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}

/** The files of tests, their policies, and the files of keys that those name; what cannot be read names nothing. */
export async function filesNamedBy(tests: readonly string[]): Promise<readonly string[]> {
  const found = new Set<string>(tests);
  for (const path of tests) {
    try {
      const { policy } = await readPolicyTests(path);
      if (typeof policy === "object") continue;
      const file = resolve(dirname(path), policy);
      found.add(file);
      for (const named of keyFilesOf(parsePolicy(await readFile(file, "utf8"), file)))
        found.add(resolve(dirname(file), named));
    } catch {
      // Told by the run. When it is mended, the file changes.
    }
  }
  return [...found];
}

function keyFilesOf({ authenticators = {} }: PolicyDocument): readonly string[] {
  return Object.values(authenticators).flatMap((settings) => {
    const keys: unknown = "keys" in settings ? settings.keys : undefined;
    return Object.values(isRecord(keys) ? keys : {}).flatMap((value) => {
      if (typeof value !== "string") return [];
      if (value.startsWith("file:")) return [value.slice("file:".length)];
      return /^(?:env:|https?:)/u.test(value) ? [] : [value];
    });
  });
}
