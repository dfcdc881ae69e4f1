import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { prepareNodeKey } from "../../platform/node-keys.js";
import type { SignatureVerifier } from "../../ports/platform.js";
import { anyOf } from "./any-verifier.js";

const secretOf = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const keys = [1, 2, 3].map((fill) => prepareNodeKey("HS256", { secret: secretOf(fill) }));
const macOf = (fill: number): Buffer => createHmac("sha256", secretOf(fill)).update("data").digest();

describe("anyOf", () => {
  it.each([
    [1, true],
    [2, true],
    [3, true],
    [4, false],
  ])("asks every key, of bytes and of text (%i)", async (fill, good) => {
    const any = anyOf(keys);
    expect(await any.verify("data", macOf(fill))).toBe(good);
    expect(any.verifyText?.("data", macOf(fill).toString("base64url"))).toBe(good);
    expect(any.verifyText?.("other", macOf(fill).toString("base64url"))).toBe(false);
  });

  it("takes no text where a key takes none", () => {
    const plain: SignatureVerifier = { algorithm: "ES256", verify: () => false };
    expect(anyOf([plain, plain]).verifyText).toBeUndefined();
  });
});
