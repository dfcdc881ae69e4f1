/** `gatehouse key` as a process. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { createEngine } from "@gatehouse/core";
import { describe, expect, it } from "vitest";
import { isPasswordOf, type MadeKey, type PasswordRecord } from "gatehouse";
import { commandUnderTest } from "./support.js";

const { run, folder } = commandUnderTest();

describe("gatehouse key api-key", () => {
  it("prints a key and its record, and the engine admits the key by it", async () => {
    const args = [
      "--id",
      "acme-1",
      "--role",
      "clerk",
      "--scope",
      "read",
      "--attribute",
      "tenant=acme",
      "--attribute",
      "seats=5",
    ];
    const { code, out, err } = run(["key", "api-key", ...args, "--expires", "90d"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const [, key = "", text = ""] =
      /^key, shown this once:\n {2}(\S+)\n\nrecord for the keys file:\n(\{[^]*\})\n$/u.exec(out) ?? [];
    const record = JSON.parse(text) as MadeKey["record"];
    expect(record).toMatchObject({
      id: "acme-1",
      roles: ["clerk"],
      scopes: ["read"],
      attributes: { tenant: "acme", seats: 5 },
    });
    const days = (Date.parse(record.expires ?? "") - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(90);
    const engine = await createEngine(
      {
        gatehouse: 1,
        name: "notes",
        transport: { https: "off" },
        roles: { clerk: [] },
        authenticators: {
          key: { type: "api-key", in: "header", name: "X-Key", keys: { secret: "env:KEYS" } },
        },
        routes: { "GET /": { authorize: { roles: ["clerk"], scopes: ["read"] } } },
      },
      { secrets: { get: () => `[${text}]` } },
    );
    const ask = async (sent: string): Promise<string> =>
      (await engine.evaluate({ method: "GET", target: "/", headers: { Host: "a.test", "X-Key": sent } }))
        .outcome;
    expect(await ask(key)).toBe("admit");
    expect(await ask(`${key}0`)).toBe("refuse");
    await engine.close();
  });

  it("prints JSON for programs", () => {
    const { out } = run(["key", "api-key", "--id", "a", "--json", "--prefix", "acme", "--route", "GET /x"]);
    const made = JSON.parse(out) as MadeKey;
    expect(Object.keys(made)).toEqual(["key", "record"]);
    expect(made.key).toMatch(/^acme_/u);
    expect(Object.keys(made.record)).toEqual(["id", "sha256", "routes"]);
  });

  it.each([
    [["api-key"], "`--id` is missing"],
    [["api-key", "--id", "a", "--alg", "ES256"], "`--alg` means nothing for `key api-key`"],
    [["api-key", "--id", "a", "--expires", "soon"], "`--expires` is no day, instant or span: `soon`"],
    [
      ["api-key", "--id", "a", "--expires", "2026-02-30"],
      "`--expires` is no day, instant or span: `2026-02-30`",
    ],
    [["api-key", "--id", "a", "--expires", "2001-01-01"], "is past already"],
    [["api-key", "--id", "a", "--attribute", "tenant"], "`--attribute` is no `NAME=VALUE`"],
    [["api-key", "--id", "a", "--attribute", "roles=x"], "an attribute cannot be called `roles`"],
    [["api-key", "--id", "a", "--attribute", "t=1", "--attribute", "t=2"], "attribute `t` is given twice"],
    [["api-key", "--id", "a", "--role", ""], "`--role` is empty"],
    [["api-key", "--id", "a", "--prefix", "a b"], "`--prefix` cannot be `a b`"],
    [["apikey", "--id", "a"], "there is no key of kind `apikey`"],
    [["basic", "--id", "a", "--role", "r"], "`--role` means nothing for `key basic`"],
    [["jwk", "--alg", "HS256"], "`--alg` cannot be `HS256`"],
  ])("refuses %j", (args, message) => {
    const { code, out, err } = run(["key", ...args]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(message);
  });
});

describe("gatehouse key basic", () => {
  it("reads a password from the standard input, and says that its authenticator is to come", async () => {
    const { code, out, err } = run(["key", "basic", "--id", "ann"], { input: "correct horse\n" });
    expect(code).toBe(0);
    expect(err).toBe("");
    expect(out).not.toContain("correct horse");
    expect(await isPasswordOf(JSON.parse(out) as PasswordRecord, "correct horse")).toBe(true);
  });

  it("makes one, shown once", async () => {
    const { password, record } = JSON.parse(
      run(["key", "basic", "--id", "ann", "--generate", "--json"]).out,
    ) as { password: string; record: PasswordRecord };
    expect(password).toMatch(/^[\w-]{32}$/u);
    expect(await isPasswordOf(record, password)).toBe(true);
  });

  it("refuses a short one", () => {
    const { code, err } = run(["key", "basic", "--id", "ann"], { input: "short\n" });
    expect(code).toBe(2);
    expect(err).toContain("the password has fewer than 8 characters");
    expect(err).not.toContain("short\n");
  });
});

describe("gatehouse key jwk", () => {
  it("prints both halves", () => {
    const made = JSON.parse(run(["key", "jwk"]).out);
    expect(made.private).toMatchObject({ kty: "EC", crv: "P-256", alg: "ES256" });
    expect(made.private.d).toBeTypeOf("string");
    expect(made.public.keys[0].d).toBeUndefined();
  });

  it("writes the private half where only its owner reads it, once", () => {
    const args = ["key", "jwk", "--alg", "EdDSA", "--private", "signing.json"];
    const { code, out } = run(args);
    expect(code).toBe(0);
    const path = join(folder(), "signing.json");
    const secret = JSON.parse(readFileSync(path, "utf8"));
    expect(out).not.toContain(secret.d);
    expect(JSON.parse(out).keys[0].x).toBe(secret.x);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const again = run(args);
    expect(again.code).toBe(2);
    expect(again.err).toContain("`signing.json` cannot be written: it is there already");
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual(secret);
  });
});
