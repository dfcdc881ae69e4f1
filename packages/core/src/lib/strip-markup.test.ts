import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stripMarkup } from "./strip-markup.js";

/** The definition, taken at its word: cut what begins first, as often as something does. */
function byTheWord(text: string): string {
  const found = /<(?:!--[^]*|[a-zA-Z/!?][^]*)/u.exec(text);
  if (found === null) return text;
  const from = found.index + 1;
  const mark = text.startsWith("!--", from) ? "-->" : ">";
  const end = text.indexOf(mark, mark === ">" ? from : from + 1);
  return byTheWord(text.slice(0, found.index) + (end === -1 ? "" : text.slice(end + mark.length)));
}

const hostile = fc
  .array(
    fc.constantFrom(
      "<",
      "<",
      ">",
      "!",
      "--",
      "-",
      "/",
      "a",
      "b",
      " ",
      "=",
      '"',
      "?",
      "<!--",
      "-->",
      "é",
      "&lt;",
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(""));

describe("stripMarkup", () => {
  it.each([
    ["plain", "plain"],
    ["", ""],
    ["5 > 3 && a &amp; b", "5 > 3 && a &amp; b"],
    ["a < b, I <3 you, 1<2", "a < b, I <3 you, 1<2"],
    ["<b>bold</b>", "bold"],
    ["<<b>script>alert(1)<</b>/script>", "alert(1)"],
    ["<scr<script>ipt>alert(1)</scr</script>ipt>", "ipt>alert(1)ipt>"],
    ["<<<<a>a>a>a>x", "x"],
    ["a<!-- b --><!-->c<!--->d", "acd"],
    ["a<!-- > -- > b", "a"],
    ["a<img src=x onerror=alert(1) ", "a"],
    ["a<!doctype html>b<?php echo 1 ?>c", "abc"],
    ["</>x</3 y", "x"],
    ["x <", "x <"],
    ["&lt;script&gt;", "&lt;script&gt;"],
    ["\u{1f600}<b>é", "\u{1f600}é"],
  ])("%j becomes %j", (text, left) => {
    expect(stripMarkup(text)).toBe(left);
  });

  it("is what cutting again and again comes to", () => {
    fc.assert(
      fc.property(hostile, (text) => stripMarkup(text) === byTheWord(text)),
      { numRuns: 2000 },
    );
  });

  it("leaves nothing that begins a tag, and nothing to cut", () => {
    const property = fc.property(fc.oneof(hostile, fc.string({ unit: "binary" })), (text) => {
      const left = stripMarkup(text);
      expect(left).not.toMatch(/<[a-zA-Z/!?]/u);
      expect(stripMarkup(left)).toBe(left);
    });
    fc.assert(property, { numRuns: 2000 });
  });

  it("looks at each character of a hostile text a bounded number of times", () => {
    // A million characters: quadratic work would outlast the test's own limit by hours.
    const nested = "<".repeat(250_000) + "a>".repeat(250_000);
    expect(stripMarkup(nested)).toBe("");
    expect(stripMarkup("<!-".repeat(300_000))).toBe("");
    expect(stripMarkup("<!-- -->".repeat(120_000))).toBe("");
    expect(stripMarkup("< ".repeat(500_000))).toBe("< ".repeat(500_000));
  });
});
