/** Files that a description may name: documents, below the folder of the first or below the current one. */
import { readFile, realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, relative, resolve } from "node:path";
import { MAX_TEXT, OpenApiError } from "./source.js";
import type { SourceLoader } from "./references.js";

/**
 * A document of others could name any file of the machine, and what it holds would end up in a policy: so nothing is read
 * outside, whatever links say, and nothing that is not called a document.
 * @param file path of the first document; undefined: it has none, and may name no file
 */
export function filesBeside(file: string | undefined): SourceLoader {
  const folders = file === undefined ? [] : [dirname(resolve(file)), process.cwd()];
  return {
    async load(reference, from) {
      const path = resolve(dirname(resolve(from)), decoded(reference));
      const refused = new OpenApiError(
        `the reference \`${reference}\` leads out of the document's folder`,
        from,
        "only files below it, or below the current folder, are read",
      );
      if (file === undefined || !/\.(json|ya?ml)$/iu.test(path)) throw refused;
      const [real, ...allowed] = await Promise.all([path, ...folders].map(realOrSame));
      if (real === undefined || !allowed.some((folder) => isBelow(real, folder))) throw refused;
      try {
        if ((await stat(real)).size > 4 * MAX_TEXT) throw new Error("too large");
        return { file: real, text: new TextDecoder("utf-8", { fatal: true }).decode(await readFile(real)) };
      } catch {
        throw new OpenApiError(`the reference \`${reference}\` leads to a file that cannot be read`, from);
      }
    },
  };
}

function decoded(reference: string): string {
  try {
    return decodeURIComponent(reference);
  } catch {
    return reference;
  }
}

async function realOrSame(path: string): Promise<string> {
  return await realpath(path).catch(() => path);
}

function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== "" && !way.startsWith("..") && !isAbsolute(way);
}
