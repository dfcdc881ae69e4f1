import { describe, expect, it } from "vitest";
import { shellWords } from "./shell-words.js";

const words = (line: string): readonly string[] => shellWords(line).words;

describe("words of a command line", () => {
  it.each<[string, readonly string[]]>([
    ["curl  a\tb", ["curl", "a", "b"]],
    [`'a b' "c d" e\\ f`, ["a b", "c d", "e f"]],
    [`a'b'"c"d`, ["abcd"]],
    [`''`, [""]],
    [
      String.raw`'a\b' "a\b" "a\"b" "a\\b" "\$x"`,
      [String.raw`a\b`, String.raw`a\b`, 'a"b', String.raw`a\b`, "$x"],
    ],
    ["a \\\n  b \\\r\n c", ["a", "b", "c"]],
    ['"a\\\nb"', ["ab"]],
    [String.raw`$'it\'s\n\u00e4\x41\101\U0001F600'`, ["it's\n\u00E4AA\u{1F600}"]],
    ["a # rest", ["a"]],
    ["a#b", ["a#b"]],
    ["'$HOME' \"a$ b\" 5$", ["$HOME", "a$ b", "5$"]],
    ["\n  curl a", ["curl", "a"]],
  ])("%j", (line, expected) => {
    expect(words(line)).toEqual(expected);
  });

  it("end where a shell ends the command, and it is told", () => {
    expect(shellWords("curl a | jq .")).toEqual({ words: ["curl", "a"], endedBy: "|" });
    expect(shellWords("curl http://a/?x=1&y=2")).toEqual({ words: ["curl", "http://a/?x=1"], endedBy: "&" });
    expect(shellWords("curl a > out.json")).toEqual({ words: ["curl", "a"], endedBy: ">" });
    expect(shellWords("curl a\ncurl b")).toEqual({ words: ["curl", "a"], endedBy: "a line feed" });
    expect(shellWords("curl 'a|b;c&d'\n")).toEqual({ words: ["curl", "a|b;c&d"], endedBy: undefined });
  });

  it.each([
    ["curl 'a", "a quote is left open: '"],
    ['curl "a', 'a quote is left open: "'],
    ["curl $'a", "a quote is left open: $'"],
    ["curl $TOKEN", "`$TOKEN` is for a shell to fill in"],
    ['curl "Bearer ${TOKEN}"', "`${TOKEN}` is for a shell to fill in"],
    ["curl $(cat x)", "`$(` is for a shell to fill in"],
    ["curl `cat x`", "``` is for a shell to fill in"],
  ])("refuse %j", (line, message) => {
    expect(() => words(line)).toThrow(message);
  });
});
