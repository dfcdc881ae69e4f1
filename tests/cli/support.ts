/** The command as a user runs it: a process of its own. From the sources unless the built packages are under test. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll } from "vitest";

const root = new URL("../..", import.meta.url).pathname;

export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export type Run = (args: readonly string[], options?: RunOptions) => Finished;

export interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Arguments of Node itself. */
  readonly node?: readonly string[];
}

/** @returns runs the command in an empty folder of its own, whose path is `folder()` */
export function commandUnderTest(): {
  readonly run: Run;
  readonly folder: () => string;
  /** Path of the command's script, for tests that let it run on. */
  readonly script: () => string;
} {
  let bin = join(root, "packages/cli/dist/bin.js");
  let folder = "";
  let made: string | undefined;
  beforeAll(async () => {
    // Below node_modules, where the bundle finds the packages that it leaves outside.
    const cache = join(root, "node_modules/.cache");
    mkdirSync(cache, { recursive: true });
    made = mkdtempSync(join(cache, "gatehouse-cli-"));
    folder = join(made, "work");
    mkdirSync(folder);
    if (process.env["GATEHOUSE_DIST"] !== "1") bin = await bundled(made);
  });
  afterAll(() => {
    if (made !== undefined) rmSync(made, { recursive: true, force: true });
  });
  const run: Run = (args, { input = "", env = {}, node = [] } = {}) => {
    const { status, stdout, stderr, error } = spawnSync(process.execPath, [...node, bin, ...args], {
      cwd: folder,
      encoding: "utf8",
      input,
      env: { PATH: process.env["PATH"] ?? "", ...env },
    });
    if (error !== undefined) throw error;
    return { code: status, out: stdout, err: stderr };
  };
  return { run, folder: () => folder, script: () => bin };
}

async function bundled(folder: string): Promise<string> {
  // Where a package begins: by itself a folder below node_modules is CommonJS.
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  await build({
    entryPoints: {
      bin: join(root, "packages/cli/src/bin.ts"),
      "mutate-worker": join(root, "packages/cli/src/mutate/worker.ts"),
    },
    outdir: folder,
    bundle: true,
    // As the packages are built: in one file everything would be loaded at once.
    splitting: true,
    platform: "node",
    format: "esm",
    target: "es2022",
    logLevel: "silent",
    plugins: [
      {
        name: "sources",
        setup(bundler) {
          const onResolve = bundler.onResolve.bind(bundler);
          onResolve({ filter: /^@gatehouse\/core(\/|$)/ }, ({ path }) => ({
            path: join(root, "packages/core/src", path.slice("@gatehouse/core".length), "index.ts"),
          }));
          onResolve({ filter: /^#platform$/ }, () => ({
            path: join(root, "packages/core/src/platform/node.ts"),
          }));
          onResolve({ filter: /^#libraries$/ }, () => ({
            path: join(root, "packages/core/src/platform/node-libraries.ts"),
          }));
          onResolve({ filter: /^[^./#]/ }, ({ path, kind }) =>
            kind === "entry-point" ? undefined : { path, external: true },
          );
        },
      },
    ],
  });
  return join(folder, "bin.js");
}
