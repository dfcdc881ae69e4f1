/** Completion, in the shells themselves where they are there. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commandUnderTest } from "./support.js";

const { run, folder } = commandUnderTest();

function has(shell: string): boolean {
  return spawnSync(shell, ["-c", "exit 0"]).status === 0;
}

/** What real bash offers with the cursor behind the last of these words. */
function offered(...words: readonly string[]): readonly string[] {
  const script = join(folder(), "gatehouse.bash");
  writeFileSync(script, run(["completion", "bash"]).out);
  const { status, stdout, stderr } = spawnSync(
    "bash",
    [
      "--norc",
      "-c",
      'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _gatehouse; printf "%s\\n" "${COMPREPLY[@]}"',
      "bash",
      script,
      ...words,
    ],
    { cwd: folder(), encoding: "utf8" },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout.split("\n").filter((line) => line !== "");
}

describe.skipIf(!has("bash"))("bash (skipped where there is none)", () => {
  it("offers commands", () => {
    expect(offered("gatehouse", "")).toEqual(
      expect.arrayContaining(["audit", "check", "completion", "init", "help", "--version"]),
    );
    expect(offered("gatehouse", "ch")).toEqual(["check"]);
    expect(offered("gatehouse", "help", "mat")).toEqual(["matrix"]);
  });

  it("offers the long options of the command, and no other's", () => {
    expect(offered("gatehouse", "explain", "--as")).toEqual(["--assume-person", "--as"]);
    expect(offered("gatehouse", "check", "--")).toEqual(["--format", "--json", "--deny-warnings", "--help"]);
  });

  it("offers the choices of an option, also behind =", () => {
    expect(offered("gatehouse", "check", "--format", "")).toEqual(["pretty", "json", "sarif"]);
    expect(offered("gatehouse", "check", "--format", "s")).toEqual(["sarif"]);
    expect(offered("gatehouse", "check", "--format", "=", "j")).toEqual(["json"]);
    expect(offered("gatehouse", "check", "--format", "=")).toEqual(["pretty", "json", "sarif"]);
    expect(offered("gatehouse", "matrix", "--format", "m")).toEqual(["markdown"]);
  });

  it("offers kinds where a command takes one", () => {
    expect(offered("gatehouse", "key", "b")).toEqual(["basic"]);
    expect(offered("gatehouse", "completion", "")).toEqual(["bash", "zsh", "fish", "--help"]);
  });

  it("offers files where a command or an option takes one, blanks and all, and runs nothing of their names", () => {
    const name = "a b$(touch pwned).jsonc";
    writeFileSync(join(folder(), name), "");
    mkdirSync(join(folder(), "api"), { recursive: true });
    expect(offered("gatehouse", "audit", "a")).toEqual(expect.arrayContaining([name, "api"]));
    expect(offered("gatehouse", "audit", "--baseline", "a ")).toEqual([name]);
    expect(offered("gatehouse", "explain", "--method", "a")).toEqual([]);
    expect(offered("gatehouse", "audit", "pw")).toEqual([]);
  });

  it("offers nothing for what is no command", () => {
    expect(offered("gatehouse", "nonsense", "--")).toEqual([]);
  });
});

it.each(["bash", "zsh", "fish"])(
  "%s: the script parses (where the shell is there), and has every command",
  (shell) => {
    const { code, out } = run(["completion", shell]);
    expect(code).toBe(0);
    for (const name of ["audit", "check", "completion", "explain", "init", "key", "matrix"])
      expect(out).toMatch(new RegExp(String.raw`\b${name}\b`, "u"));
    if (!has(shell)) return;
    const { status, stderr } = spawnSync(shell, ["-n"], { input: out, encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  },
);

it("names the shells there are", () => {
  const { code, err } = run(["completion", "bsh"]);
  expect(code).toBe(2);
  expect(err).toContain("there is no script for `bsh`");
  expect(err).toContain("did you mean `bash`?");
});
