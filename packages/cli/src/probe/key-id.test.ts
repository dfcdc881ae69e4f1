import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { readKeyId, writtenKeyId } from "./key-id.js";

describe("the id of a key on a command line", () => {
  it.each([
    ["a=b", "a%3Db"],
    ["a=b==", "a%3Db%3D%3D"],
    ["a%3Db", "a%253Db"],
    ["a%25", "a%2525"],
    ["100%", "100%"],
    ["a%20b", "a%20b"],
    ["plain:key/1+2", "plain:key/1+2"],
  ])("`%s` is written `%s`", (id, written) => {
    expect(writtenKeyId(id)).toBe(written);
    expect(readKeyId(written)).toBe(id);
  });

  it("is read in either letter case", () => {
    expect(readKeyId("a%3db%3D%253d")).toBe("a=b=%3d");
  });

  test.prop([fc.string({ unit: fc.constantFrom("a", "=", "%", "2", "3", "5", "D", "d", ":") })])(
    "is read as it was written, and holds no `=`",
    (id) => {
      expect(readKeyId(writtenKeyId(id))).toBe(id);
      expect(writtenKeyId(id)).not.toContain("=");
    },
  );
});
