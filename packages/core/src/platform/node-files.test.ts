import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { utf8 } from "../lib/bytes.js";
import { Secret } from "../lib/secret.js";
import { nodeSecrets, readTextFile } from "./node-files.js";

let folder = "";
let policy = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "gatehouse-"));
  policy = join(folder, "policy.json");
});
afterAll(() => rmSync(folder, { recursive: true }));

const put = (name: string, content: string | Uint8Array): void => writeFileSync(join(folder, name), content);
const get = async (reference: string): Promise<number[] | string | undefined> => {
  const found = await nodeSecrets.get(reference, policy);
  return typeof found === "string" || found === undefined ? found : [...Secret.of(found).reveal()];
};

describe("secrets on Node", () => {
  it("reads the environment, as it stands", async () => {
    process.env["GATEHOUSE_TEST_SECRET"] = "s3cret\n";
    expect(await get("env:GATEHOUSE_TEST_SECRET")).toBe("s3cret\n");
    delete process.env["GATEHOUSE_TEST_SECRET"];
    expect(await get("env:GATEHOUSE_TEST_SECRET")).toBeUndefined();
  });

  it("reads files beside the policy, byte for byte, without one trailing newline", async () => {
    for (const [content, expected] of [
      ["abc", "abc"],
      ["abc\n", "abc"],
      ["abc\r\n", "abc"],
      ["abc\n\n", "abc\n"],
      [" a\nb ", " a\nb "],
      ["\n", ""],
      ["", ""],
    ] as const) {
      put("secret", content);
      expect(await get("file:secret")).toEqual([...utf8(expected)]);
    }
    put("secret", Uint8Array.of(0xff, 0, 0x0a));
    expect(await get("file:secret")).toEqual([0xff, 0]);
    expect(await nodeSecrets.get(`file:${join(folder, "secret")}`)).toEqual(Buffer.from([0xff, 0]));
  });

  it("finds nothing where nothing is, and under no other kind of reference", async () => {
    expect(await get("file:missing")).toBeUndefined();
    expect(await get("vault:x")).toBeUndefined();
    expect(await get("secret")).toBeUndefined();
  });

  it("does not read what is no file", async () => {
    await expect(get("file:.")).rejects.toThrow(/regular file|directory/u);
    await expect(get("file:/dev/zero")).rejects.toThrow("it is not a regular file");
    // A named pipe that nobody writes to would hold the reader for ever.
    execFileSync("mkfifo", [join(folder, "pipe")]);
    await expect(get("file:pipe")).rejects.toThrow("it is not a regular file");
    writeFileSync(join(folder, "large"), "");
    truncateSync(join(folder, "large"), 16 * 1024 * 1024 + 1);
    await expect(get("file:large")).rejects.toThrow("it is larger than 16777216 bytes");
  });

  it("reads text without a byte order mark, and only UTF-8", async () => {
    put("keys.json", "\uFEFF{}\n");
    expect(await readTextFile("keys.json", policy)).toBe("{}\n");
    put("keys.json", Uint8Array.of(0xff));
    await expect(readTextFile("keys.json", policy)).rejects.toThrow("it is not UTF-8 text");
  });
});
