// The tarballs that would be published. npm packs all in one run: its own start takes longer than the packing.
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const root = new URL("../..", import.meta.url).pathname;

/**
 * @param {string} folder where the tarballs are put
 * @returns {{ folder: string, tarball: string, paths: string[] }[]} one for each package: its folder, its tarball, the files in that
 */
export function packAll(folder) {
  const names = readdirSync(join(root, "packages"));
  const packed = JSON.parse(
    execFileSync(
      "npm",
      ["pack", "--json", "--pack-destination", folder, ...names.map((name) => `./packages/${name}`)],
      {
        cwd: root,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      },
    ),
  );
  // npm tells of them in the order in which they were asked for.
  if (packed.length !== names.length)
    throw new Error(`${packed.length} of ${names.length} packages were packed`);
  return packed.map(({ filename, files }, index) => ({
    folder: `packages/${names[index]}`,
    tarball: join(folder, filename),
    paths: files.map(({ path }) => path),
  }));
}
