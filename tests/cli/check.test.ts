/** `gatehouse check` as a process: what it prints, and how it ends. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commandUnderTest } from "./support.js";

const { run, folder } = commandUnderTest();
const write = (name: string, text: string): void => writeFileSync(join(folder(), name), text);

const GOOD = `{ "gatehouse": 1, "name": "notes", "routes": { "GET /health": { "authenticate": "none" } } }`;
const BAD = `{
  "gatehouse": 1,
  "name": "notes",
  // a typo, and a route that says nothing of who may call it
  "autheticators": {},
  "routes": { "GET /notes": {} }
}
`;
const WARNED = `{
  "gatehouse": 1,
  "name": "notes",
  "authenticators": {
    "key": { "type": "api-key", "in": "query", "name": "key", "keys": { "secret": "env:KEYS" } }
  },
  "routes": { "GET /notes": { "authorize": "authenticated" } }
}
`;

describe("gatehouse check", () => {
  it("says nothing is wrong, with 0", () => {
    write("good.json", GOOD);
    expect(run(["check", "good.json"])).toEqual({ code: 0, out: "no problem in good.json\n", err: "" });
  });

  it("shows every problem with its line, carets and mend, with 1", () => {
    write("bad.jsonc", BAD);
    const { code, out, err } = run(["check", "bad.jsonc"]);
    expect({ code, err }).toEqual({ code: 1, err: "" });
    expect(out).toMatchInlineSnapshot(`
      "error[unknown-key]: unknown key \`autheticators\`
       --> bad.jsonc:5:3
        |
      5 |   "autheticators": {},
        |   ^^^^^^^^^^^^^^^
        = at /autheticators
        = help: did you mean \`authenticators\`?

      error[no-authenticator]: the route requires authentication, and the document has no authenticators
       --> bad.jsonc:6:15
        |
      6 |   "routes": { "GET /notes": {} }
        |               ^^^^^^^^^^^^
        = at /routes/GET ~1notes
        = help: declare one under \`authenticators\`, or open the route: \`"authenticate": "none"\`

      2 errors in bad.jsonc
      "
    `);
  });

  it("lets warnings pass unless they are denied", () => {
    write("warned.json", WARNED);
    expect(run(["check", "warned.json"]).code).toBe(0);
    const denied = run(["check", "--deny-warnings", "warned.json"]);
    expect(denied.code).toBe(1);
    expect(denied.out).toContain("1 warning in warned.json");
  });

  it("reads the standard input, and several files", () => {
    write("good.json", GOOD);
    const { code, out } = run(["check", "-", "good.json"], { input: BAD });
    expect(code).toBe(1);
    expect(out).toContain("--> <stdin>:5:3");
    expect(out).toContain("in 2 policies");
  });

  it("ends with 2 where a file cannot be read, and names it", () => {
    write("latin1.json", "");
    writeFileSync(join(folder(), "latin1.json"), Buffer.from([0x22, 0xe9, 0x22]));
    expect(run(["check", "gone.json"])).toEqual({
      code: 2,
      out: "",
      err: "gatehouse: `gone.json` cannot be read: there is no such file\n  see: gatehouse check --help\n",
    });
    expect(run(["check", "latin1.json"]).err).toContain("`latin1.json` is no UTF-8 text");
    expect(run(["check", "."]).err).toContain("it is a folder");
  });

  it("prints JSON that a program can read", () => {
    write("bad.jsonc", BAD);
    const { code, out } = run(["check", "bad.jsonc", "--json"]);
    expect(code).toBe(1);
    const told = JSON.parse(out);
    expect(told.errors).toBe(2);
    expect(told.files[0].diagnostics[0]).toEqual({
      code: "unknown-key",
      severity: "error",
      pointer: "/autheticators",
      line: 5,
      column: 3,
      file: "bad.jsonc",
      message: "unknown key `autheticators`",
      help: "did you mean `authenticators`?",
    });
  });

  it("tells of a text that is no JSON, with its place", () => {
    const { code, out } = run(["check", "-"], { input: '{\n  "gatehouse": 1\n  "name": "x"\n}\n' });
    expect(code).toBe(1);
    expect(out).toContain("error[syntax]");
    expect(out).toContain("--> <stdin>:3:3");
    expect(out).toContain('3 |   "name": "x"\n');
  });

  it("never colours what is no terminal", () => {
    write("bad.jsonc", BAD);
    expect(run(["check", "bad.jsonc"], { env: { TERM: "xterm-256color" } }).out).not.toContain("\u001B");
  });
});

describe("wrong usage", () => {
  it.each([
    [["chek", "x"], "unknown command `chek`", "did you mean `check`?"],
    [["check", "x", "--formt", "json"], "unknown option `--formt`", "did you mean `--format`?"],
    [["check", "x", "--format", "sarfi"], "`--format` cannot be `sarfi`", "did you mean `sarif`?"],
    [["check", "x", "--format", "xml"], "`--format` cannot be `xml`", "the choices are pretty, json, sarif"],
    [["check", "x", "--format"], "`--format` needs a value", "see: gatehouse check --help"],
    [["check", "x", "--format", "--json"], "`--format` needs a value", "is written `--format=--json`"],
    [["check", "x", "--json=yes"], "`--json` takes no value", "see: gatehouse check --help"],
    [["check", "x", "--format", "json", "--format", "json"], "`--format` is given twice", "see:"],
    [["check", "x", "--json", "--format", "sarif"], "`--json` contradicts `--format sarif`", "see:"],
    [
      ["explain", "a", "b"],
      "`explain` takes only a policy file: `b` is one too many",
      "see: gatehouse explain --help",
    ],
    [["--hlep"], "unknown option `--hlep`", "did you mean `--help`?"],
    [["--versoin"], "unknown option `--versoin`", "did you mean `--version`?"],
    [["check", "--__proto__", "x"], "unknown option `--__proto__`", "see:"],
  ])("%j is told and ends with 2", (args, message, help) => {
    const { code, out, err } = run(args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(`gatehouse: ${message}`);
    expect(err).toContain(help);
  });
});

describe("help", () => {
  it("lists the commands, and shows each with its options and examples", () => {
    const all = run(["--help"]);
    expect(all.code).toBe(0);
    expect(all.out).toContain("check");
    expect(run([]).out).toBe(all.out);
    const check = run(["check", "--help"]);
    expect(check).toEqual(run(["help", "check"]));
    expect(check.out).toContain("--deny-warnings");
    expect(check.out).toContain("gatehouse check policy.jsonc");
  });

  it("tells the version of the package", () => {
    expect(run(["--version"])).toEqual({ code: 0, out: "0.1.0\n", err: "" });
  });
});
