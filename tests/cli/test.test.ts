/** `gatehouse test` as a process: what it prints and writes, and how it ends. */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { JSDOM } from "jsdom";
import { describe, expect, it } from "vitest";
import { testPolicy } from "gatehouse";
import { commandUnderTest } from "./support.js";

const { run, folder, script } = commandUnderTest();
const write = (name: string, value: unknown): void =>
  writeFileSync(join(folder(), name), typeof value === "string" ? value : JSON.stringify(value));
const read = (name: string): string => readFileSync(join(folder(), name), "utf8");

const policyFor = (roles: readonly string[]): object => ({
  gatehouse: 1,
  name: "notes",
  authenticators: { key: { type: "api-key", in: "header", name: "X-Key", keys: { secret: "env:KEYS" } } },
  roles: { admin: [], reader: [] },
  routes: { "GET /notes": { authorize: { roles } } },
});
const testsOf = (policy: unknown, expectation: object = { outcome: "admit" }): object => ({
  policy,
  people: { ann: { roles: ["reader"] } },
  tests: [
    { name: 'a reader <reads> & "quotes"\u0007', as: "ann", request: "GET /notes", expect: expectation },
    { name: "nobody else", request: "GET /notes", expect: { code: "unauthenticated" } },
  ],
});
const good = (): void => {
  write("policy.json", policyFor(["reader"]));
  write("a.policy-test.json", testsOf("policy.json"));
};

describe("gatehouse test", () => {
  it("finds the tests below the folder and passes with 0", () => {
    good();
    expect(run(["test"])).toEqual({
      code: 0,
      out: "✓ a.policy-test.json (notes): 2 passed\n2 passed\n",
      err: "",
    });
  });

  it("shows what differs and the trace of a test that fails, with 1", () => {
    good();
    write("b.policy-test.json", testsOf("policy.json", { code: "forbidden" }));
    const { code, out, err } = run(["test", "b.policy-test.json"]);
    expect({ code, err }).toEqual({ code: 1, err: "" });
    expect(out).toContain("✗ b.policy-test.json (notes): 1 passed, 1 failed\n");
    expect(out).toContain(
      '    code: expected "forbidden", got nothing\n    as ann: GET /notes\n    admit 204\n',
    );
    expect(out).toContain(
      "✓ authorize        pass; by /routes/GET ~1notes/authorize/roles; the caller has role `reader`",
    );
    // Of a name nothing can move the cursor.
    expect(out).toContain(String.raw`\u{7}`);
    expect(run(["test", "b.policy-test.json", "--filter", "ELSE"]).code).toBe(0);
    expect(run(["test", "b.policy-test.json", "--only", "nobody else", "-v"]).out).toContain(
      "  ✓ nobody else\n",
    );
    expect(run(["test", "b.policy-test.json", "a.policy-test.json", "--bail"]).out).toContain(
      "\n2 passed, 1 failed in 2 files\n",
    );
  });

  it("ends with 2 where tests cannot be run, and runs the others", () => {
    good();
    write("c.policy-test.json", {
      policy: "policy.json",
      tests: [{ name: "x", request: "GET /", expct: {} }],
    });
    const { code, out } = run(["test", "a.policy-test.json", "c.policy-test.json"]);
    expect(code).toBe(2);
    expect(out).toContain("! c.policy-test.json cannot be run\n");
    expect(out).toContain("did you mean `expect`?");
    expect(out).toContain("2 passed, 1 file not run in 2 files\n");
  });

  it.each([["--coverage"], ["--mutate"]])("tells with %s what the check tells, with 2", (option) => {
    const { routes, ...rest } = policyFor(["reader"]) as { readonly routes: object };
    write("policy.json", { ...rest, routes: { ...routes, "GET /open": { limits: "none" } } });
    write("a.policy-test.json", testsOf("policy.json"));
    const { code, out, err } = run(["test", "a.policy-test.json", option]);
    expect({ code, err }).toEqual({ code: 2, err: "" });
    // A policy of which points are made is known by its path from here.
    const [told = ""] = out.replaceAll(`${folder()}/`, "").split("\n\n");
    const [plain] = run(["test", "a.policy-test.json"]).out.replaceAll(`${folder()}/`, "").split("\n\n");
    expect(told).toContain("at /routes/GET ~1open/limits: ");
    expect(told).toBe(plain);
  });

  it("prints JSON, and writes JUnit that a parser reads", () => {
    good();
    write("b.policy-test.json", testsOf("policy.json", { code: "forbidden" }));
    const { code, out } = run(["test", "b.policy-test.json", "--json", "--coverage", "--junit", "junit.xml"]);
    expect(code).toBe(1);
    const told = JSON.parse(out);
    expect([told.passed, told.failed, told.broken]).toEqual([1, 1, 0]);
    expect(told.files[0].tests[0].failures[0].differences).toEqual([
      'code: expected "forbidden", got nothing',
    ]);
    expect(told.coverage[0].policy).toBe("policy.json");
    const { document } = new JSDOM(read("junit.xml"), { contentType: "text/xml" }).window;
    const cases = [...document.querySelectorAll("testsuite > testcase")];
    expect(cases.map((one) => one.getAttribute("name"))).toEqual([
      'a reader <reads> & "quotes"\uFFFD',
      "nobody else",
    ]);
    expect(document.querySelector("testsuite")?.getAttribute("failures")).toBe("1");
    expect(document.querySelector("failure")?.textContent).toContain("admit 204");
  });

  it("says which file is not there, and counts nothing where tests did not run", () => {
    write("lost.policy-test.json", testsOf("gone.json"));
    const { code, out } = run(["test", "lost.policy-test.json", "--coverage-min", "90"]);
    expect(code).toBe(2);
    expect(out).toContain(
      "`gone.json`, which `policy` of these tests names, cannot be read: there is no such file\n",
    );
    expect(out).toMatch(/\nno coverage: it tells something only where every file can be run\n$/u);
  });

  it("makes the folder of a report, unless a file is in its way", () => {
    good();
    expect(run(["test", "a.policy-test.json", "--junit", "reports/unit/junit.xml"]).code).toBe(0);
    expect(read("reports/unit/junit.xml")).toContain("<testsuite ");
    const { code, err } = run(["test", "a.policy-test.json", "--junit", "policy.json/junit.xml"]);
    expect(code).toBe(2);
    expect(err).toContain("`policy.json/junit.xml` cannot be written: a part of its path is a file\n");
  });

  it("holds coverage to a minimum", () => {
    good();
    const { code, out } = run(["test", "a.policy-test.json", "--coverage-min", "100"]);
    expect(code).toBe(1);
    expect(out).toContain("  authorize: /routes/GET ~1notes/authorize  missed\n");
    expect(out).toMatch(/\ncoverage of policy\.json is \d+ %, less than 100 %\n$/u);
    expect(run(["test", "a.policy-test.json", "--coverage-min", "10"]).code).toBe(0);
  });

  it("mutates, in threads too, and suggests tests that notice", () => {
    good();
    const { code, out, err } = run([
      "test",
      "a.policy-test.json",
      "--mutate-min",
      "100",
      "--suggest",
      "s.policy-test.json",
      "--jobs",
      "2",
    ]);
    expect({ code, err }).toEqual({ code: 1, err: "" });
    expect(out).toContain("/routes/GET ~1notes/authorize/roles  `admin` will do too\n");
    expect(JSON.parse(read("s.policy-test.json")).policy).toBe("policy.json");
    expect(run(["test", "s.policy-test.json"]).code).toBe(0);
    write("policy.json", policyFor(["reader", "admin"]));
    const noticed = run(["test", "s.policy-test.json"]);
    expect(noticed.code).toBe(1);
    expect(noticed.out).toContain(
      "✗ tells from a policy in which /routes/GET ~1notes/authorize/roles `admin` will do too",
    );
    write("policy.json", policyFor(["reader"]));
    const again = run(["test", "a.policy-test.json", "--suggest", "s.policy-test.json"]);
    expect(again.code).toBe(2);
    expect(again.err).toContain("it is there already");
  }, 60_000);

  it.each([
    [["gone.json"], "`gone.json` cannot be read: there is no such file"],
    [["a.policy-test.json", "--filter", "zzz"], "no test has such a name"],
    [["a.policy-test.json", "--coverage-min", "101"], "`--coverage-min` cannot be `101`"],
    [["a.policy-test.json", "--jobs", "0"], "`--jobs` cannot be `0`"],
    [["a.policy-test.json", "--mutate", "--only", "x"], "`--mutate` asks all tests"],
    [["a.policy-test.json", "--json", "--suggest", "-"], "`--json` and `--suggest -` would both be printed"],
    [
      ["a.policy-test.json", "--no-requests", "--suggest", "-"],
      "`--no-requests` leaves nothing for `--suggest`",
    ],
  ])("refuses %j", (args, message) => {
    good();
    const { code, out, err } = run(["test", ...args]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(message);
  });

  it("runs again when the policy changes", async () => {
    good();
    const child = spawn(process.execPath, [script(), "test", "a.policy-test.json", "--watch"], {
      cwd: folder(),
    });
    try {
      let told = "";
      const until = (text: string): Promise<void> =>
        new Promise((done) => {
          const look = (): void => {
            if (!told.includes(text)) return;
            told = "";
            child.stderr.off("data", look);
            done();
          };
          child.stderr.on("data", look);
          look();
        });
      child.stdout.on("data", (chunk: Buffer) => (told += chunk.toString()));
      child.stderr.on("data", (chunk: Buffer) => (told += chunk.toString()));
      await until("waiting for a change");
      write("policy.json", policyFor(["admin"]));
      let seen = "";
      child.stdout.on("data", (chunk: Buffer) => (seen += chunk.toString()));
      await until("waiting for a change");
      expect(seen).toContain("1 passed, 1 failed");
    } finally {
      child.kill();
    }
  });
});

// Its mutants are a step of `npm test` of their own.
describe("the orders policy", () => {
  const orders = new URL("../../examples/orders/orders.policy-test.json", import.meta.url).pathname;

  it("is reached in every point by its tests", async () => {
    const { failed, coverage } = await testPolicy([orders], { coverage: true });
    expect({ failed, uncovered: coverage[0]?.uncovered }).toEqual({ failed: 0, uncovered: [] });
  });
});
