/** Passwords: what a guess costs, what is remembered, and what a list of users may hold. */
import { scryptSync } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stateFor, type StateOptions } from "../../model/state.test-support.js";
import { platform as node } from "../../platform/node.js";
import { platform as portable } from "../../platform/portable.js";
import type { Platform, ScryptCost } from "../../ports/platform.js";
import { checkOf, compiled, NOW, summary } from "./authenticate.test-support.js";
import { readBasic } from "./basic-credential.js";
import { parsePasswordHash } from "./basic-records.js";

const b64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64").replaceAll("=", "");
const SALT = Buffer.from("0123456789abcdef");

const hashes = new Map<string, string>();
function hash(password: string, logN = 14): string {
  const key = `${logN} ${password}`;
  const known = hashes.get(key);
  if (known !== undefined) return known;
  const derived = scryptSync(password, SALT, 32, { N: 2 ** logN, r: 8, p: 1, maxmem: 2 ** 28 });
  const text = `$scrypt$ln=${logN},r=8,p=1$${b64(SALT)}$${b64(derived)}`;
  hashes.set(key, text);
  return text;
}

const ANN = { id: "ann", scrypt: hash("secret"), roles: ["clerk"] };
const sent = (pair: string): StateOptions => ({
  headerFields: { authorization: `Basic ${Buffer.from(pair).toString("base64")}` },
});

const users = (list: unknown, settings: object = {}, platform: Platform = node) =>
  compiled(
    {
      roles: { clerk: [] },
      authenticators: { people: { type: "basic", users: { secret: "env:USERS" }, ...settings } },
      routes: { "GET /": { authorize: "authenticated" }, "GET /b": { authorize: "authenticated" } },
    } as never,
    { platform, secrets: { "env:USERS": typeof list === "string" ? list : JSON.stringify(list) } },
  );

/** A platform that counts, and may be told what to answer. */
function counting(answer?: Platform["scrypt"]) {
  const calls: { cost: ScryptCost; salt: string }[] = [];
  const scrypt: Platform["scrypt"] = (password, salt, cost, length) => {
    calls.push({ cost, salt: Buffer.from(salt).toString() });
    return (answer ?? node.scrypt)(password, salt, cost, length);
  };
  return { calls, platform: { ...node, scrypt } };
}

describe("a guess", () => {
  it.each([node, portable])("is right or wrong, on the platform $name", async (platform) => {
    const policy = await users([ANN], {}, platform);
    expect(summary(await policy.run("GET /", sent("ann:secret")))).toBe("people:ann");
    expect(summary(await policy.run("GET /", sent("ann:Secret")))).toBe("invalid-credential");
  });

  it("costs one computation, whether there is such a user or not", async () => {
    const { calls, platform } = counting();
    const policy = await users([ANN, { id: "bob", scrypt: hash("x", 15) }], {}, platform);
    for (const pair of ["ann:wrong", "nobody:secret", "nobody:secret", ":"]) {
      calls.length = 0;
      expect(summary(await policy.run("GET /", sent(pair)))).toBe("invalid-credential");
      expect(calls).toHaveLength(1);
    }
    // The same name always costs the same: else asking twice would tell.
    const costs = new Set<number>();
    for (let round = 0; round < 4; round += 1) {
      calls.length = 0;
      await policy.run("GET /", sent(`carol:${round}`));
      costs.add(calls[0]?.cost.n ?? 0);
    }
    expect(costs.size).toBe(1);
  });

  it("never opens with the password of the record that it is held against", async () => {
    const policy = await users([ANN]);
    expect(summary(await policy.run("GET /", sent("nobody:secret")))).toBe("invalid-credential");
  });

  it("in what is no Basic costs nothing", async () => {
    const { calls, platform } = counting();
    const policy = await users([ANN], {}, platform);
    for (const text of [
      "",
      "x",
      "YW5u",
      "YW5uOnNlY3JldA",
      "YW5uOnNlY3JldA=",
      "YW5u*nNlY3JldA==",
      "x".repeat(8193),
    ])
      await policy.run("GET /", { headerFields: { authorization: `Basic ${text}` } });
    expect(calls).toEqual([]);
  });

  it("waits for no room that is not there", async () => {
    const { platform } = counting(() => undefined);
    const policy = await users([ANN], {}, platform);
    expect((await policy.run("GET /", sent("ann:secret"))).verdict).toMatchObject({
      kind: "fault",
      where: "outside",
      code: "capacity-reduced",
      retryAfter: 1,
    });
  });

  it("that cannot be computed is a fault", async () => {
    const { platform } = counting(() => Promise.reject(new Error("out of memory")));
    const policy = await users([ANN], {}, platform);
    expect((await policy.run("GET /", sent("ann:secret"))).verdict).toMatchObject({
      kind: "fault",
      where: "code",
    });
  });
});

describe("what was right", () => {
  const at = (seconds: number): StateOptions => ({ ...sent("ann:secret"), monotonicUs: seconds * 1e6 });

  it("is believed for a while, at once, and then computed again", async () => {
    const { calls, platform } = counting();
    const policy = await users([ANN], {}, platform);
    expect((await policy.run("GET /", at(0))).synchronous).toBe(false);
    const again = await policy.run("GET /", at(59.9));
    expect([summary(again), again.synchronous, calls.length]).toEqual(["people:ann", true, 1]);
    expect((await policy.run("GET /", at(60))).synchronous).toBe(false);
    expect(calls).toHaveLength(2);
    expect(summary(await policy.run("GET /", { ...at(61), now: NOW }))).toBe("people:ann");
  });

  it("is not believed where the author wants none of it", async () => {
    const { calls, platform } = counting();
    const policy = await users([ANN], { cacheFor: "0s" }, platform);
    for (let round = 0; round < 2; round += 1) await policy.run("GET /", at(0));
    expect(calls).toHaveLength(2);
  });

  it("is computed once for many that come together; what is wrong is not remembered", async () => {
    const { calls, platform } = counting();
    const policy = await users([ANN], {}, platform);
    const all = await Promise.all(Array.from({ length: 8 }, () => policy.run("GET /", at(0))));
    expect([new Set(all.map(summary)), calls.length]).toEqual([new Set(["people:ann"]), 1]);
    for (let round = 0; round < 2; round += 1) await policy.run("GET /", sent("ann:wrong"));
    expect(calls).toHaveLength(3);
  });

  it("ends with its record, also while it is believed", async () => {
    const policy = await users([{ ...ANN, expires: "2026-06-01T12:00:10Z", routes: ["GET /"] }]);
    expect(summary(await policy.run("GET /", at(0)))).toBe("people:ann");
    expect(summary(await policy.run("GET /b", at(1)))).toBe("invalid-credential");
    expect(summary(await policy.run("GET /", { ...at(2), now: NOW + 10_000 }))).toBe("invalid-credential");
  });
});

describe("the text of a credential", () => {
  const decode = node.decodeBase64Url;

  it("comes back as it went, in normal form", () => {
    const part = fc
      .string({ unit: "grapheme", maxLength: 20 })
      .filter((text) => !/\p{Cc}/u.test(text) && text.isWellFormed());
    fc.assert(
      fc.property(
        part.filter((text) => !text.includes(":")),
        part,
        (name, password) => {
          const text = Buffer.from(`${name}:${password}`).toString("base64");
          expect(readBasic(text, decode)).toEqual({
            name: name.normalize("NFC"),
            password: password.normalize("NFC"),
          });
        },
      ),
    );
  });

  it("has one spelling", () => {
    const good = Buffer.from("ann:p").toString("base64");
    for (const other of [
      good.slice(0, -1),
      `${good}=`,
      ` ${good}`,
      `${good}\n`,
      "YW5uOnA_",
      "YW5uOnB=",
      "/w==",
      "YW5uOv8=",
    ])
      expect(readBasic(other, decode)).toBeUndefined();
    fc.assert(fc.property(fc.string(), (text) => void readBasic(text, decode)));
  });
});

describe("a list of users", () => {
  const problems = async (list: unknown) =>
    (await users(list)).diagnostics.map(({ code, message }) => [code, message]);

  it.each<readonly [string, unknown, readonly (readonly [string, string])[]]>([
    ["no JSON", "x", [["invalid-user", "`env:USERS` holds no JSON list of users"]]],
    ["no list", {}, [["invalid-user", "`env:USERS` holds no JSON list of users"]]],
    ["nobody", [], [["invalid-user", "`env:USERS` lists no user, so every password is refused"]]],
    ["a text", ["ann"], [["invalid-user", "user 1: the record is no JSON object"]]],
    ["somebody twice", [ANN, { ...ANN, id: "ann" }], [["invalid-user", "user 2 has the `id` of another"]]],
    [
      "a colon",
      [{ ...ANN, id: "a:b" }],
      [["invalid-user", "user 1: `id` has a colon or a control character, which Basic cannot say"]],
    ],
    [
      "a digest",
      [{ ...ANN, sha256: "0".repeat(64) }],
      [["invalid-user", "user 1: `sha256` of a password is guessed back in no time"]],
    ],
    ["a stranger", [{ ...ANN, password: "secret" }], [["invalid-user", "user 1: unknown member `password`"]]],
    [
      "an undeclared role",
      [{ ...ANN, roles: ["clark"] }],
      [["unknown-role", "user 1: role `clark` is not declared in `roles`"]],
    ],
    [
      "an unknown route",
      [{ ...ANN, routes: ["GET /x"] }],
      [["unknown-route", "user 1: there is no route `GET /x`"]],
    ],
  ])("with %s fails the load", async (_name, list, expected) => {
    expect(await problems(list)).toEqual(expected);
  });

  it.each([
    ["nothing", undefined],
    ["a plain text", "secret"],
    ["another function", "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA"],
    ["too little work", hash("x").replace("ln=14", "ln=13")],
    ["too much memory", hash("x").replace("ln=14", "ln=22")],
    ["too many turns", hash("x").replace("p=1", "p=17")],
    ["a short salt", `$scrypt$ln=14,r=8,p=1$AAAA$${b64(Buffer.alloc(32))}`],
    ["a short hash", `$scrypt$ln=14,r=8,p=1$${b64(SALT)}$AAAA`],
    ["padding", `${hash("x")}=`],
  ])("with a hash of %s fails the load, and its text is not told", async (_name, scrypt) => {
    const found = await problems([{ id: "ann", scrypt }]);
    expect(found).toEqual([
      [
        "invalid-user",
        "user 1: `scrypt` is no hash of the form `$scrypt$ln=17,r=8,p=1$…$…`, or one of too little or too much work",
      ],
    ]);
  });

  it("a hash of `gatehouse key basic` is one", () => {
    expect(parsePasswordHash(hash("x").replace("ln=14", "ln=17"), node.decodeBase64Url)?.cost).toEqual({
      n: 131_072,
      r: 8,
      p: 1,
    });
  });

  it("is a secret, and what was right is believed for an hour at most", () => {
    const of = (settings: object) =>
      checkOf({ authenticators: { people: { type: "basic", users: { secret: "env:U" }, ...settings } } });
    expect(of({ cacheFor: "1h" })).toEqual([]);
    expect(of({ cacheFor: "61m" })).toMatchObject([
      { code: "out-of-range", pointer: "/authenticators/people/cacheFor", help: "from `0s` to `1h`" },
    ]);
  });
});

it("a state for which nothing is presented is nobody's", async () => {
  const policy = await users([ANN]);
  expect(summary(await policy.run("GET /", stateFor()))).toBe("unauthenticated");
});
