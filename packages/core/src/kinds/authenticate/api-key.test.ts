import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { sha256Hex } from "../../conformance/keys.js";
import { platform as node } from "../../platform/node.js";
import { platform as portable } from "../../platform/portable.js";
import type { ApiKeyLookup } from "../../ports/application.js";
import { compiled, summary, type Compiled, type Outcome, type SetUp } from "./authenticate.test-support.js";

const record = (key: string, rest: Record<string, unknown> = {}): Record<string, unknown> => ({
  id: "robot",
  sha256: sha256Hex(key),
  ...rest,
});

async function withKeys(keys: unknown, setUp: SetUp = {}): Promise<Compiled> {
  const kind = await compiled(
    {
      roles: { admin: ["clerk"], clerk: [] },
      authenticators: {
        partner: { type: "api-key", in: "header", name: "X-API-Key", keys, confers: ["admin", "clerk"] },
      },
      routes: { "GET /": { authorize: "authenticated" }, "GET /b": { authorize: "authenticated" } },
    },
    setUp,
  );
  expect(kind.diagnostics).toEqual([]);
  return kind;
}

const run = (kind: Compiled, key: string, route = "GET /", now?: number): Promise<Outcome> =>
  kind.run(route, { headerFields: { "x-api-key": key }, ...(now === undefined ? {} : { now }) });

describe.each([node, portable])("api-key on the platform $name", (platform) => {
  it("finds one key among many, and says who it is", async () => {
    const keys = Array.from({ length: 500 }, (_, index) => record(`key-${index}`, { id: `r${index}` }));
    const kind = await withKeys(
      [
        ...keys,
        record("grün", { roles: ["admin"], scopes: ["s"], attributes: { tenant: "t", nested: { a: 1 } } }),
      ],
      { platform },
    );
    for (const index of [0, 7, 499])
      expect(summary(await run(kind, `key-${index}`))).toBe(`partner:r${index}`);
    const { identity, synchronous } = await run(kind, "grün");
    expect(synchronous).toBe(true);
    expect(identity?.principal).toEqual({
      id: "robot",
      roles: ["admin", "clerk"],
      scopes: ["s"],
      claims: { tenant: "t", nested: { a: 1 } },
      authenticator: "partner",
      tenant: "t",
      nested: { a: 1 },
    });
    expect(Object.isFrozen(identity?.principal["nested"])).toBe(true);
  });

  it("B3.77 refuses every other key, of any length, without throwing", async () => {
    const kind = await withKeys([record("secret-key")], { platform });
    const wrong = [
      "",
      "s",
      "secret-ke",
      "secret-keyx",
      "SECRET-KEY",
      " secret-key",
      sha256Hex("secret-key"),
      "secret-key, secret-key",
      "x".repeat(9000),
    ];
    for (const key of wrong) expect(summary(await run(kind, key))).toBe("invalid-credential");
  });
});

describe("api-key", () => {
  const key = "secret-key";

  it("B3.77 compares all of a digest, not the part by which it is found", async () => {
    const digest = (last: number): Uint8Array =>
      Uint8Array.from({ length: 32 }, (_, index) => (index === 31 ? last : 1));
    const platform = { ...node, sha256: (data: Uint8Array | string) => digest(data.length) };
    const records = [5, 6].map((last) => ({
      id: `r${last}`,
      sha256: Buffer.from(digest(last)).toString("hex"),
    }));
    const kind = await withKeys(records, { platform });
    const seen: string[] = [];
    for (const length of [5, 6, 7]) seen.push(summary(await run(kind, "x".repeat(length))));
    expect(seen).toEqual(["partner:r5", "partner:r6", "invalid-credential"]);
  });

  it("refuses a key from the instant at which it expires", async () => {
    const kind = await withKeys([
      record(key, { expires: "2026-06-01T12:00:00Z" }),
      record("day", { expires: "2026-06-02" }),
    ]);
    const noon = Date.UTC(2026, 5, 1, 12);
    expect(summary(await run(kind, key, "GET /", noon - 1))).toBe("partner:robot");
    expect(summary(await run(kind, key, "GET /", noon))).toBe("invalid-credential");
    expect(summary(await run(kind, "day", "GET /", Date.UTC(2026, 5, 2) - 1))).toBe("partner:robot");
    expect(summary(await run(kind, "day", "GET /", Date.UTC(2026, 5, 2)))).toBe("invalid-credential");
  });

  it("refuses a key on routes that are not its own", async () => {
    const kind = await withKeys([record(key, { routes: ["GET /b"] })]);
    expect([summary(await run(kind, key)), summary(await run(kind, key, "GET /b"))]).toEqual([
      "invalid-credential",
      "partner:robot",
    ]);
  });

  it("reads the list from a secret", async () => {
    const kind = await withKeys(
      { secret: "file:keys.json" },
      { secrets: { "file:keys.json": `\uFEFF${JSON.stringify([record(key)])}\n` } },
    );
    expect([summary(await run(kind, key)), summary(await run(kind, "other"))]).toEqual([
      "partner:robot",
      "invalid-credential",
    ]);
  });

  it("asks the application by digest, never by key", async () => {
    const asked: string[] = [];
    const find: ApiKeyLookup = (sha256) => {
      asked.push(sha256);
      return sha256 === sha256Hex(key) ? { id: "found", roles: ["clerk"] } : undefined;
    };
    const kind = await withKeys({ lookup: "find" }, { lookups: { find } });
    expect([summary(await run(kind, key)), summary(await run(kind, "x"))]).toEqual([
      "partner:found",
      "invalid-credential",
    ]);
    expect(asked).toEqual([sha256Hex(key), sha256Hex("x")]);
    expect(summary(await run(kind, ""))).toBe("invalid-credential");
    expect(asked).toHaveLength(2);
  });

  it("waits for a lookup, and takes every wrong answer for a fault", async () => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    const answers: [unknown, string][] = [
      [Promise.resolve(record(key)), "partner:robot"],
      [Promise.resolve(null), "invalid-credential"],
      [null, "invalid-credential"],
      [record(key, { expires: "2020-01-01" }), "invalid-credential"],
      [record(key, { expires: "2099-02-30" }), "fault"],
      [record("another"), "fault"],
      [record(key, { attributes: { at: new Date(0) } }), "partner:robot"],
      [record(key, { attributes: circle }), "fault"],
      [record(key, { attributes: { f: () => 1 } }), "fault"],
      [record(key, { attributes: { big: 1n } }), "fault"],
      [{}, "fault"],
      [true, "fault"],
      ["robot", "fault"],
      [{ id: "a", admin: true }, "fault"],
      [Promise.reject(new Error("down")), "fault"],
      [Promise.resolve({ id: 1 }), "fault"],
    ];
    for (const [answer, expected] of answers) {
      const kind = await withKeys({ lookup: "find" }, { lookups: { find: () => answer } });
      expect(summary(await run(kind, key))).toBe(expected);
    }
    // Another realm's, as query builders': no instance of this one's Promise.
    const foreign = runInNewContext("Promise.resolve(answer)", { answer: record(key) }) as unknown;
    expect(foreign).not.toBeInstanceOf(Promise);
    const patient = await withKeys({ lookup: "find" }, { lookups: { find: () => foreign } });
    expect(summary(await run(patient, key))).toBe("partner:robot");
    const throwing = await withKeys(
      { lookup: "find" },
      {
        lookups: {
          find: () => {
            throw new Error("broken");
          },
        },
      },
    );
    expect((await run(throwing, key)).verdict).toEqual({
      kind: "fault",
      where: "code",
      reason: "the lookup threw",
      rule: "/authenticators/partner/keys",
      error: new Error("broken"),
    });
  });
});
