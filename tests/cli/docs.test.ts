/** docs/cli.md is held to the command: every `$ gatehouse …` on it is run, and prints what stands below it. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AUDIT_RULES, COVERAGE_KINDS } from "gatehouse";
import { commandUnderTest } from "./support.js";

const page = readFileSync(new URL("../../docs/cli.md", import.meta.url), "utf8");
const { run, folder } = commandUnderTest();

interface Shown {
  readonly line: string;
  readonly output: string;
}

/** Files that the page shows, in order; a later one of a name replaces an earlier one. */
interface Step {
  readonly file?: { readonly name: string; readonly text: string };
  readonly shown?: Shown;
}

function stepsOf(text: string): Step[] {
  const blocks = text.matchAll(
    /<!-- file: (\S+) -->\n\n```\w+\n([^]*?)^```$|^```console\n\$ ([^\n]+)\n([^]*?)^```$/gm,
  );
  return Array.from(blocks, ([, name, content = "", line, output = ""]) =>
    name === undefined ? { shown: { line: line ?? "", output } } : { file: { name, text: content } },
  );
}

/** Words of a command line; quotes of either kind keep blanks. */
function wordsOf(line: string): string[] {
  return Array.from(
    line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g),
    ([, one, other, word]) => one ?? other ?? word ?? "",
  );
}

/** `…` stands for what differs from run to run: keys, times; alone on a line, for lines that say no more than those around. */
function patternOf(output: string): RegExp {
  const text = output.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);
  const lines = text.replaceAll(/^ *…\n/gm, String.raw`(?:[^\n]*\n)+?`);
  return new RegExp(`^${lines.replaceAll("…", String.raw`[^\n]+?`)}$`, "u");
}

/** What the rows of a section are about. */
function rowsBelow(heading: string): string[] {
  const from = page.indexOf(heading) + heading.length;
  const section = page.slice(from, page.indexOf("\n##", from) < 0 ? undefined : page.indexOf("\n##", from));
  return Array.from(section.matchAll(/^\| `([a-z-]+)` /gm), ([, id = ""]) => id);
}

describe("docs/cli.md", () => {
  const steps = stepsOf(page);

  it("shows files and outputs", () => {
    expect(steps.filter(({ file }) => file !== undefined).length).toBeGreaterThan(0);
    expect(steps.filter(({ shown }) => shown !== undefined).length).toBeGreaterThan(0);
  });

  for (const [index, { file, shown }] of steps.entries()) {
    const title =
      shown === undefined ? `writes ${file?.name ?? ""}` : `prints what it says for: ${shown.line}`;
    it(`${index + 1} ${title}`, () => {
      if (file !== undefined) writeFileSync(join(folder(), file.name), file.text);
      if (shown === undefined) return;
      const [line = "", kept] = shown.line.split(" > ");
      const [command, ...args] = wordsOf(line);
      expect(command).toBe("gatehouse");
      const { out, err } = run(args);
      if (kept !== undefined) writeFileSync(join(folder(), kept), out);
      const told = kept === undefined ? out + err : err;
      if (shown.output.includes("…")) expect(told).toMatch(patternOf(shown.output));
      else expect(told).toBe(shown.output);
    });
  }

  const commands = Array.from(page.matchAll(/^- \[(\w+)\]\(#\1\)/gm), ([, name = ""]) => name);
  const sectionOf = (name: string): string => {
    const from = page.indexOf(`\n## ${name}\n`);
    const to = page.indexOf("\n## ", from + 1);
    return from < 0 ? "" : page.slice(from, to < 0 ? undefined : to);
  };

  it("has every command", () => {
    const known = Array.from(run(["--help"]).out.matchAll(/^ {2}([a-z]+) {2,}/gm), ([, name = ""]) => name);
    expect(known.length).toBeGreaterThan(8);
    expect(commands).toEqual(known);
  });

  it.each(commands)("shows what %s prints, and says what each of its options does", (name) => {
    const section = sectionOf(name);
    expect(section).toMatch(new RegExp(`^\\$ gatehouse ${name}\\b`, "mu"));
    const { out } = run([name, "--help"]);
    const options = Array.from(out.matchAll(/^ +(?:-\w, )?(--[a-z-]+)/gm), ([, option = ""]) => option);
    expect(options).toContain("--help");
    expect(options.filter((option) => option !== "--help" && !section.includes(option))).toEqual([]);
  });

  it("has a row for every rule of the audit, and no other", () => {
    expect(rowsBelow("\n## audit").sort()).toEqual(AUDIT_RULES.map(({ id }) => id));
  });

  it("has a row for every kind of coverage, in order", () => {
    expect(rowsBelow("\n### Coverage")).toEqual(COVERAGE_KINDS);
  });

  it("bites: another output is found", () => {
    expect("sha256 abc\n").toMatch(patternOf("sha256 …\n"));
    expect("sha257 abc\n").not.toMatch(patternOf("sha256 …\n"));
    expect("a\nb\nc\n").toMatch(patternOf("a\n  …\nc\n"));
    expect("a\nb\nd\n").not.toMatch(patternOf("a\n…\nc\n"));
    expect(stepsOf("```console\n$ gatehouse x 'a b'\nout\n```\n")).toEqual([
      { shown: { line: "gatehouse x 'a b'", output: "out\n" } },
    ]);
    expect(wordsOf("gatehouse x 'a b'")).toEqual(["gatehouse", "x", "a b"]);
  });
});
