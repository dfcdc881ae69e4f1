/** `gatehouse diff` as a user runs it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commandUnderTest } from "./support.js";

const { run, folder } = commandUnderTest();

const POLICY = {
  gatehouse: 1,
  name: "notes",
  transport: { https: "off" },
  authenticators: {
    user: {
      type: "jwt",
      issuer: "https://id.test/",
      audience: "notes",
      algorithms: ["ES256"],
      keys: { jwks: "keys/jwks.json" },
      principal: { id: "sub", roles: "roles" },
    },
  },
  roles: { admin: ["clerk"], clerk: [] },
  routes: { "GET /notes": { authorize: { roles: ["admin"] } } },
};

function file(name: string, change: Partial<typeof POLICY> = {}): string {
  writeFileSync(join(folder(), name), JSON.stringify({ ...POLICY, ...change }));
  return name;
}

const authorized = (roles: readonly string[]): Partial<typeof POLICY> => ({
  routes: { "GET /notes": { authorize: { roles: [...roles] } } },
});

describe("gatehouse diff", () => {
  it("says that nothing differs, and exits with 0", () => {
    const { code, out } = run(["diff", file("a.json"), file("b.json"), "--fail-on", "changed"]);
    expect(out).toBe("same: 0 of 2 rows differ\n");
    expect(code).toBe(0);
  });

  it.each([
    ["wider", ["admin", "clerk"], undefined, 0],
    ["wider", ["admin", "clerk"], "wider", 1],
    ["wider", ["admin", "clerk"], "changed", 1],
    ["wider", ["admin", "clerk"], "undecided", 0],
    ["narrower", ["admin"], "wider", 0],
    ["narrower", ["admin"], "changed,undecided", 1],
  ])("%s with --fail-on %s", (verdict, roles, failing, code) => {
    const [old, fresh] = verdict === "wider" ? [["admin"], roles] : [["clerk"], roles];
    const args = ["diff", file("a.json", authorized(old)), file("b.json", authorized(fresh)), "--json"];
    const found = run(failing === undefined ? args : [...args, "--fail-on", failing]);
    expect(found.err).toBe("");
    expect(found.code).toBe(code);
    const { verdict: told, routes } = JSON.parse(found.out) as {
      verdict: string;
      routes: readonly { aspects: readonly { aspect: string; wider?: unknown }[] }[];
    };
    expect(told).toBe(verdict);
    if (verdict === "wider") {
      const [witness] = routes
        .flatMap(({ aspects }) => aspects)
        .flatMap(({ wider }) => (wider === undefined ? [] : [wider]));
      expect(witness).toMatchObject({
        old: { outcome: "refuse", code: "forbidden" },
        new: { outcome: "admit" },
      });
    }
  });

  it("takes what is undecided for what may be wider", () => {
    const other = { ...POLICY.authenticators.user, keys: { jwks: "keys/other.json" } };
    const args = ["diff", file("a.json"), file("b.json", { authenticators: { user: other } })];
    expect(run([...args, "--fail-on", "wider"]).code).toBe(1);
    expect(run([...args, "--fail-on", "undecided"]).code).toBe(1);
    expect(run(args).out).toContain("undecided; the keys of `user` differ");
  });

  it("reads one of the two from the standard input, and not both", () => {
    expect(run(["diff", "-", file("b.json")], { input: JSON.stringify(POLICY) }).code).toBe(0);
    expect(run(["diff", "-", "-"]).code).toBe(2);
  });

  it.each([
    [["a.json"], "needs an old and a new policy file"],
    [["a.json", "b.json", "--fail-on", "widder"], "did you mean `wider`?"],
    [["a.json", "b.json", "--json", "--format", "markdown"], "contradicts"],
    [["a.json", "gone.json"], "cannot be read"],
  ])("is used wrongly with %j", (args, told) => {
    file("a.json");
    file("b.json");
    const { code, err } = run(["diff", ...args]);
    expect(code).toBe(2);
    expect(err).toContain(told);
  });

  it("lets no name of a policy end a cell of a table or begin markup", () => {
    const routes = { "GET /a|b/<x>": { authenticate: "none" } } as unknown as (typeof POLICY)["routes"];
    const { out } = run([
      "diff",
      file("a.json"),
      file("b.json", { routes: { ...POLICY.routes, ...routes } }),
      "--format",
      "markdown",
    ]);
    const rows = out.split("\n").filter((line) => line.startsWith("| `"));
    expect(rows.some((row) => row.includes("a\\|b"))).toBe(true);
    for (const row of rows) expect(row.match(/(?<!\\)\|/g)).toHaveLength(5);
  });
});
