import { readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { runPolicyTests } from "@gatehouse/core/testing";
import { commandUnderTest } from "./support.js";

const POLICY = "gatehouse.policy.jsonc";
const TESTS = "gatehouse.policy-test.json";
const { run, folder } = commandUnderTest();
const at = (name: string): string => join(folder(), name);

beforeEach(() => {
  for (const name of [POLICY, TESTS, "gatehouse.policy.json"]) rmSync(at(name), { force: true });
});

describe("gatehouse init", () => {
  it("writes a policy that has no problem, no grave finding, and tests that pass", async () => {
    const { code, out } = run(["init"]);
    expect(code).toBe(0);
    expect(out).toContain(`wrote ${POLICY}\nwrote ${TESTS}\n`);
    expect(run(["check", "--deny-warnings"])).toMatchObject({
      code: 0,
      out: `no problem in ${POLICY}\n`,
    });
    const found = JSON.parse(run(["audit", "--json"]).out) as {
      readonly findings: readonly { readonly rule: string; readonly severity: string }[];
    };
    expect(found.findings.map(({ rule, severity }) => `${severity} ${rule}`)).toEqual(["info open-route"]);
    const result = await runPolicyTests(at(TESTS));
    expect({ failed: result.failed, passed: result.passed > 10 }).toEqual({ failed: 0, passed: true });
  });

  it("lets the other commands find the policy", () => {
    run(["init"]);
    expect(run(["matrix"]).out).toContain("| `GET /health` | allow |");
    expect(run(["explain", "--url", "/notes"])).toMatchObject({ code: 1 });
  });

  it("bites: a policy that is wider fails the tests", async () => {
    run(["init"]);
    const text = readFileSync(at(POLICY), "utf8");
    const wider = text.replace('"check": "ownsNote" }],', "}],");
    expect(wider).not.toBe(text);
    writeFileSync(at(POLICY), wider);
    expect((await runPolicyTests(at(TESTS))).failed).toBeGreaterThan(0);
  });

  it("never writes over a file, and writes neither where one is there", () => {
    writeFileSync(at(TESTS), "mine");
    const { code, err } = run(["init"]);
    expect(code).toBe(2);
    expect(err).toBe(
      `gatehouse: \`${TESTS}\` is there already\n  help: nothing was written; \`--force\` writes over it\n  see: gatehouse init --help\n`,
    );
    expect(readFileSync(at(TESTS), "utf8")).toBe("mine");
    expect(run(["check"])).toMatchObject({ code: 2 });
    expect(run(["init", "--force"])).toMatchObject({ code: 0 });
    expect(readFileSync(at(TESTS), "utf8")).toContain('"tests"');
  });

  it("takes a link that leads nowhere for a file", () => {
    symlinkSync(at("elsewhere.jsonc"), at(POLICY));
    expect(run(["init"])).toMatchObject({ code: 2 });
  });

  it("writes no second policy beside one", () => {
    writeFileSync(at("gatehouse.policy.json"), "{}");
    const { code, err } = run(["init", "--force"]);
    expect(code).toBe(2);
    expect(err).toContain("`gatehouse.policy.json` is there already");
  });

  it("says as JSON what it wrote", () => {
    expect(JSON.parse(run(["init", "--json"]).out)).toEqual({ written: [POLICY, TESTS] });
  });
});

describe("without a named policy", () => {
  it("says where one would come from", () => {
    for (const args of [["check"], ["audit"], ["matrix"], ["explain", "--url", "/"]]) {
      const { code, err } = run(args);
      expect(code).toBe(2);
      expect(err).toContain("no policy file is named, and there is no `gatehouse.policy.jsonc` here");
      expect(err).toContain("help: name one, or let `gatehouse init` write it");
    }
  });

  it("chooses none of two", () => {
    run(["init"]);
    writeFileSync(at("gatehouse.policy.json"), "{}");
    const { code, err } = run(["check"]);
    expect(code).toBe(2);
    expect(err).toContain("are both here");
  });
});
