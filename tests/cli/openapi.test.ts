import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commandUnderTest } from "./support.js";

const { run, folder } = commandUnderTest();
const POLICY = JSON.stringify({
  gatehouse: 1,
  name: "notes",
  authenticators: { key: { type: "api-key", in: "header", name: "X-Key", keys: { secret: "env:KEYS" } } },
  routes: {
    "GET /notes/:id": {
      authorize: "authenticated",
      response: { body: { type: "object", properties: { id: { type: "string" } } } },
    },
  },
});
const put = (name: string, text: string): void => {
  writeFileSync(join(folder(), name), text);
};

describe("gatehouse openapi", () => {
  it("describes the policy, for the team and for strangers", () => {
    put("policy.json", POLICY);
    const { code, out } = run(["openapi", "policy.json", "--api-version", "1.2.3"]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      openapi: "3.1.0",
      info: { title: "notes", version: "1.2.3" },
      paths: {
        "/notes/{id}": { get: { security: [{ key: [] }], "x-gatehouse": { authorize: ["authenticated"] } } },
      },
    });
    expect(run(["openapi", "policy.json", "--plain"]).out).not.toContain("x-gatehouse");
  });

  it("ends with 0 where a description is the policy's, and with 1 where it is not", () => {
    put("policy.json", POLICY);
    put("openapi.json", run(["openapi", "policy.json"]).out);
    expect(run(["openapi", "policy.json", "--drift", "openapi.json"])).toEqual({
      code: 0,
      out: "openapi.json is what the policy enforces\n",
      err: "",
    });
    put("openapi.yaml", "openapi: 3.0.0\ninfo: {title: n, version: '1'}\npaths: {}\nwebhooks: {w: {}}\n");
    const { code, out } = run(["openapi", "policy.json", "--drift", "openapi.yaml"]);
    expect(code).toBe(1);
    expect(out).toContain("GET /notes/:id\n  looser route: the policy serves it, and it is not described\n");
    expect(out).toContain(
      "not compared:\n  requests that the API makes itself are no routes of it\n    openapi.yaml#/webhooks\n",
    );
    const json = JSON.parse(
      run(["openapi", "policy.json", "--drift", "openapi.yaml", "--json"]).out,
    ) as object;
    expect(json).toMatchObject({ file: "openapi.yaml", drifts: [{ direction: "looser", aspect: "route" }] });
  });

  it("ends with 2 for what is no description, or no policy", () => {
    put("policy.json", POLICY);
    put("none.yaml", "a: &a [*a]");
    expect(run(["openapi", "policy.json", "--drift", "none.yaml"])).toMatchObject({ code: 2 });
    expect(run(["openapi", "none.yaml"])).toMatchObject({ code: 2 });
    expect(run(["openapi", "policy.json", "--drift", "x", "--plain"]).err).toContain("not for `--drift`");
  });
});

describe("gatehouse init --from-openapi", () => {
  const API =
    "openapi: 3.0.0\ninfo: {title: Notes, version: '1'}\npaths:\n  /notes/{id}:\n    get: {responses: {'200': {description: d}}}\n";

  it("writes a policy, tests, and what has to be decided", () => {
    put("api.yaml", API);
    const { code, out } = run(["init", "--from-openapi", "api.yaml", "--force"]);
    expect(code).toBe(0);
    expect(out).toContain("wrote gatehouse.policy.jsonc\nwrote gatehouse.policy-test.json\n\nto decide (");
    expect(out).toContain("api.yaml#/paths/~1notes~1{id}/get -> /routes/GET ~1notes~1:id/authorize");
    expect(run(["check"])).toMatchObject({ code: 0 });
    expect(run(["init", "--from-openapi", "api.yaml"])).toMatchObject({ code: 2 });
  });

  it("lists every item as JSON", () => {
    put("api.yaml", API);
    const { written, items } = JSON.parse(
      run(["init", "--from-openapi", "api.yaml", "--force", "--json"]).out,
    ) as {
      readonly written: readonly string[];
      readonly items: readonly { readonly kind: string; readonly code: string }[];
    };
    expect(written).toHaveLength(2);
    expect(items.map(({ kind, code }) => `${kind} ${code}`)).toContain("decide no-security");
  });

  it("writes nothing for what is no document, and moves no cursor", () => {
    put("bad.yaml", 'a: 1\n"\\e[2J": 2\n"\\e[2J": 3\n');
    const { code, out, err } = run(["init", "--from-openapi", "bad.yaml", "--force"]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("stands twice");
    expect(err).not.toContain("\u001B");
  });
});
