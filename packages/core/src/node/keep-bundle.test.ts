/** The last good bundle on disk. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { keepBundle } from "./index.js";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

describe("a bundle that is kept", () => {
  it("is one whole text, however many write at once, and nothing lies beside it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "gatehouse-keep-"));
    folders.push(folder);
    const file = join(folder, "policy.bundle");
    const texts = ["a", "b", "c", "d"].map((letter) => letter.repeat(3_000_000));
    await Promise.all(texts.map((text) => keepBundle(file).save(text)));
    expect(texts).toContain(readFileSync(file, "utf8"));
    expect(readdirSync(folder)).toEqual(["policy.bundle"]);
    expect(await keepBundle(join(folder, "other")).load()).toBeUndefined();
  });
});
