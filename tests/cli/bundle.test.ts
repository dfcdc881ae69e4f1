/** `gatehouse bundle` as a process. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { createEngine, type PolicyDocument } from "@gatehouse/core";
import { watchPolicy } from "@gatehouse/core/node";
import { commandUnderTest } from "./support.js";

const { run, folder } = commandUnderTest();
const put = (name: string, text: string): void => writeFileSync(join(folder(), name), text);

const policy: PolicyDocument = {
  gatehouse: 1,
  name: "notes",
  transport: { https: "off" },
  routes: { "GET /notes": { authenticate: "none" } },
};
const tests = (path: string): string =>
  JSON.stringify({
    policy: "policy.json",
    tests: [{ name: `${path} is open`, request: `GET ${path}`, expect: { outcome: "admit" } }],
  });

beforeAll(() => {
  put("policy.json", `// what is open\n${JSON.stringify(policy)}`);
  put("good.policy-test.json", tests("/notes"));
  put("bad.policy-test.json", tests("/else"));
  for (const [alg, name] of [
    ["EdDSA", "first"],
    ["ES256", "second"],
  ] as const) {
    const made = run(["key", "jwk", "--alg", alg, "--kid", name, "--private", `${name}.json`]);
    put(`${name}-public.json`, made.out);
  }
});

const SIGN = ["bundle", "sign", "policy.json", "--revision", "7", "--key", "first.json"];

describe("gatehouse bundle", () => {
  it("signs what a service takes, and verifies it", async () => {
    const signed = run([...SIGN, "--tests", "good.policy-test.json"]);
    expect({ code: signed.code, err: signed.err }).toEqual({ code: 0, err: "" });
    put("notes.bundle", signed.out);
    const verify = ["bundle", "verify", "notes.bundle", "--name", "notes", "--key", "first-public.json"];
    expect(run(verify)).toEqual({
      code: 0,
      out: "policy    notes\nrevision  7\nsigned by first\ntests     1\n",
      err: "",
    });
    expect(JSON.parse(run([...verify, "--policy"]).out)).toEqual(policy);
    const set = JSON.parse(run(["key", "jwk", "--alg", "EdDSA"]).out) as { public: { keys: object[] } };
    const other = set.public.keys[0];
    put("other.json", JSON.stringify(other));
    for (const [args, message] of [
      [["--name", "other", "--key", "first-public.json"], "the bundle is for another policy than `other`\n"],
      [["--name", "notes", "--key", "second-public.json"], "no pinned key has signed the bundle\n"],
      [
        ["--name", "notes", "--key", "other.json", "--kid", "first"],
        "the bundle's signature does not verify\n",
      ],
      [
        ["--name", "notes", "--key", "first-public.json", "--min-revision", "8"],
        "the bundle has number 7, at least 8 is wanted\n",
      ],
    ] as const) {
      expect(run(["bundle", "verify", "notes.bundle", ...args])).toEqual({ code: 1, out: "", err: message });
    }
    const engine = await createEngine({ ...policy, routes: {} });
    const pinned = JSON.parse(readFileSync(join(folder(), "first-public.json"), "utf8")) as {
      keys: Readonly<Record<string, unknown>>[];
    };
    const follower = await watchPolicy(engine, join(folder(), "notes.bundle"), {
      bundle: { keys: [{ kid: "first", algorithm: "EdDSA", jwk: pinned.keys[0] ?? {} }] },
    });
    await follower.ready;
    expect(follower.status).toMatchObject({ state: "current", bundle: 7, problem: undefined });
    follower.close();
    await engine.close();
  });

  it("signs nothing that a service would refuse", () => {
    expect(run([...SIGN, "--tests", "bad.policy-test.json"])).toEqual({
      code: 1,
      out: "",
      err: "the policy fails its tests\n  /else is open\n",
    });
    put("broken.json", '{ "gatehouse": 1, "name": "notes", "routes": { "GET /notes": {} } }');
    const broken = run(["bundle", "sign", "broken.json", "--revision", "7", "--key", "first.json"]);
    expect(broken).toMatchObject({ code: 1, out: "" });
    expect(broken.err).toContain("the policy cannot be served");
  });

  it.each<[readonly string[], string]>([
    [["bundle", "sing", "policy.json"], "`bundle` cannot `sing`"],
    [
      [...SIGN.slice(0, 3), "--revision", "0", "--key", "first.json"],
      "`--revision` is no whole number from 1",
    ],
    [[...SIGN, "--name", "notes"], "`--name` is not for `bundle sign`"],
    [[...SIGN, "--alg", "ES256"], "type does not fit ES256"],
    [[...SIGN.slice(0, 5), "--key", "policy.json"], "no key of the kind that is needed here"],
    [[...SIGN, "--tests", "gone.json"], "`gone.json` cannot be read"],
  ])("%j is told", (args, message) => {
    const { code, out, err } = run(args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(message);
  });
});
