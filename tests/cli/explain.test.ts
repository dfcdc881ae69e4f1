/** `gatehouse explain` as a process. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commandUnderTest } from "./support.js";

const { run, folder } = commandUnderTest();
const write = (name: string, value: unknown): void =>
  writeFileSync(join(folder(), name), typeof value === "string" ? value : JSON.stringify(value));

const POLICY = {
  gatehouse: 1,
  name: "notes",
  authenticators: { key: { type: "api-key", in: "header", name: "X-Key", keys: { secret: "env:KEYS" } } },
  roles: { clerk: [] },
  routes: {
    "GET /health": { authenticate: "none" },
    "GET /notes/:id": { authorize: { roles: ["clerk"], check: "owns" } },
  },
};

/** A key, and the list of records that holds it. */
function madeKey(): { readonly key: string; readonly env: Readonly<Record<string, string>> } {
  const made = JSON.parse(run(["key", "api-key", "--id", "ann", "--role", "clerk", "--json"]).out) as {
    key: string;
    record: object;
  };
  return { key: made.key, env: { KEYS: JSON.stringify([made.record]) } };
}

describe("gatehouse explain", () => {
  it("ends with 0 for an admitted request and with 1 for a refused one", () => {
    write("policy.json", POLICY);
    const open = run(["explain", "policy.json", "--url", "/health"]);
    expect({ code: open.code, err: open.err }).toEqual({ code: 0, err: "" });
    expect(open.out).toContain("admitted: the handler runs");
    const closed = run(["explain", "policy.json", "--url", "/notes/1"]);
    expect(closed.code).toBe(1);
    expect(closed.out).toContain("refused with 401 unauthenticated at `authenticate`");
    expect(closed.out).toContain("send an API key of `key` in the header `X-Key`");
    expect(run(["explain", "policy.json", "--url", "/notes/1"]).out).toBe(closed.out);
  });

  it("judges a real key by the environment's secrets, and by those of a file", () => {
    write("policy.json", POLICY);
    const { key, env } = madeKey();
    const args = ["explain", "policy.json", "--url", "/notes/1", "-H", `X-Key: ${key}`];
    const found = run(args, { env });
    expect(found.code).toBe(0);
    expect(found.out).toContain("`ann` by `key`");
    expect(found.out).toContain("assumed  check `owns` says yes");
    expect(found.out).not.toContain(key);
    write("dev.env", `KEYS='${env["KEYS"] ?? ""}'\n`);
    expect(run([...args, "--env", "dev.env"]).code).toBe(0);
    expect(run([...args, "--check", "owns=no"], { env }).out).toContain(
      "the application's check `owns` to say yes",
    );
    const nowhere = run([...args, "--ip", "10.0.0.256"], { env });
    expect([nowhere.code, nowhere.err]).toEqual([2, expect.stringContaining("`--ip` is no IP address")]);
    const missing = run(args);
    expect(missing.code).toBe(2);
    expect(missing.err).toContain("secret `env:KEYS` is not set");
    expect(missing.err).toContain("--assume-person");
  });

  it("assumes persons, written out or of a file of tests", () => {
    write("policy.json", POLICY);
    write("policy-test.json", {
      policy: "policy.json",
      people: { ann: { roles: ["clerk"] }, bob: {} },
      tests: [{ name: "it is up", request: "GET /health", expect: { outcome: "admit" } }],
    });
    const as = (name: string): readonly string[] => [
      "explain",
      "policy.json",
      "--url",
      "/notes/1",
      "--as",
      name,
      "--people",
      "policy-test.json",
    ];
    expect(run(as("ann")).code).toBe(0);
    expect(run(as("bob")).out).toContain("asks for the role `clerk`");
    expect(run(as("anne")).err).toContain("did you mean `ann`?");
    const written = run([
      "explain",
      "policy.json",
      "--url",
      "/notes/1",
      "--assume-person",
      '{"roles":["clerk"]}',
    ]);
    expect(written.code).toBe(0);
    const wrong = run([
      "explain",
      "policy.json",
      "--url",
      "/notes/1",
      "--assume-person",
      '{"roles":["clark"]}',
    ]);
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain("did you mean `clerk`?");
  });

  it("reads a curl command, from an argument and from the standard input, and tells what it left aside", () => {
    write("policy.json", POLICY);
    const curl = "curl -s 'https://api.test/notes/1' \\\n  -H 'Accept: */*' | jq .";
    const found = run(["explain", "policy.json", "--curl", curl]);
    expect(found.out).toContain("GET /notes/1 over HTTPS");
    expect(found.err).toContain("`-s`, what stands behind `|`");
    expect(run(["explain", "policy.json", "--curl", "-"], { input: `${curl}\n` }).out).toBe(found.out);
    expect(run(["explain", "policy.json", "--curl", "curl -F a=b http://x/"]).err).toContain(
      "curl's `-F` cannot be explained",
    );
  });

  it("reads a HAR entry", () => {
    write("policy.json", POLICY);
    write("x.har", {
      log: { entries: [{ request: { method: "GET", url: "https://api.test/health", headers: [] } }] },
    });
    expect(run(["explain", "policy.json", "--har", "x.har"]).code).toBe(0);
    expect(run(["explain", "policy.json", "--har", "x.har", "--entry", "2"]).err).toContain(
      "none with number 2",
    );
  });

  it("prints JSON for programs", () => {
    write("policy.json", POLICY);
    const told = JSON.parse(run(["explain", "policy.json", "--url", "/notes/1", "--json"]).out);
    expect(told).toMatchObject({
      outcome: "refuse",
      code: "unauthenticated",
      route: "GET /notes/:id",
      status: 401,
    });
    expect(told.trace.length).toBeGreaterThan(1);
  });

  it.each([
    [["gone.json", "--url", "/"], "`gone.json` cannot be read: there is no such file"],
    [["policy.json"], "say the request in one way"],
    [["policy.json", "--url", "/", "--har", "x"], "say the request in one way"],
    [["policy.json", "--url", "orders"], "`orders` is no URL and no path"],
    [["policy.json", "--url", "/", "--entry", "1"], "`--entry` is for `--har`"],
    [["policy.json", "--curl", "curl https://api.test/", "--entry", "1"], "`--entry` is for `--har`"],
    [["policy.json", "--curl", "curl http://x/", "--data", "x"], "`--data` is for `--url`"],
    [["policy.json", "--url", "/", "--as", "ann"], "`--as` and `--people` go together"],
    [["policy.json", "--url", "/", "--assume-person", "{"], "`--assume-person` is no JSON"],
    [["policy.json", "--url", "/", "--check", "ownz=no"], "the policy asks no check `ownz`"],
    [["policy.json", "--url", "/", "--check", "owns"], "`--check` is no `NAME=yes` or `NAME=no`"],
    [["policy.json", "--url", "/", "--at", "noon"], "`--at` is no instant"],
    [["policy.json", "--url", "/", "--repeat", "0"], "`--repeat` is no whole number from 1 to 10000"],
    [["bad.json", "--url", "/"], "the policy cannot be served"],
  ])("refuses %j", (args, message) => {
    write("policy.json", POLICY);
    write("bad.json", { ...POLICY, rutes: {} });
    const { code, out, err } = run(["explain", ...args]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(message);
  });
});
