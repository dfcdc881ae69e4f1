// A script for the browser with what it imports, of our packages the build and nothing of the sources.
import { join } from "node:path";
import { build } from "esbuild";

const root = new URL("../..", import.meta.url).pathname;

/**
 * @param entry a script of `tests/browser`
 * @returns path and contents of each file; all of the packages in them is the build
 */
export async function bundle(entry, conditions) {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(root, "tests/browser", entry)],
    bundle: true,
    loader: { ".jsonc": "text" },
    splitting: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    conditions,
    chunkNames: `${entry.replace(".js", "")}-[name]-[hash]`,
    outdir: "/",
    write: false,
    metafile: true,
    // The tests' tsconfig.json maps our packages to their sources; the judged thing here is the build.
    tsconfigRaw: {},
    // What a tree-shaken package leaves out is no news.
    logOverride: { "ignored-bare-import": "silent" },
    logLevel: "warning",
  });
  const ours = Object.keys(metafile.inputs).filter((path) => path.includes("packages/"));
  if (ours.length === 0 || ours.some((path) => !path.includes("packages/core/dist/"))) {
    throw new Error(`not the build: ${ours.join(", ")}`);
  }
  return outputFiles.map(({ path, contents }) => [path, contents]);
}
