/** What looking keys up costs, and who learns when one was used. */
import { createHash } from "node:crypto";
import { checkPolicy, type KeySeen } from "@gatehouse/core";
import { describe, expect, it } from "vitest";
import { engineWith, policyWith, Provider, type Setting } from "./support.js";

const nobody = new Provider(() => Promise.reject(new Error("nothing is called")));
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

const found = { type: "api-key", in: "header", name: "X-Key", keys: { lookup: "find" } } as const;

interface Looking extends Setting {
  readonly lookups: string[];
  /** The status, or the id of who was let in. */
  readonly ask: (key: string, ip?: string) => Promise<unknown>;
}

async function looking(settings: object, seen?: KeySeen): Promise<Looking> {
  const lookups: string[] = [];
  const known = new Map(["k-good", "k-other"].map((key) => [sha256(key), { id: key.slice(2) }]));
  const setting = await engineWith(policyWith({ key: { ...found, ...settings } }), nobody, {
    lookups: {
      find: async (hash) => {
        lookups.push(hash);
        await Promise.resolve();
        if (hash === sha256("k-broken")) throw new Error("planted");
        return known.get(hash);
      },
    },
    ...(seen !== undefined && { lastSeen: { seen } }),
  });
  const ask = async (key: string, ip = "192.0.2.1"): Promise<unknown> => {
    const decision = await setting.engine.evaluate({
      method: "GET",
      target: "/",
      headers: [
        ["Host", "a.test"],
        ["X-Key", key],
      ],
      remoteAddress: ip,
    });
    return decision.outcome === "admit" ? decision.principal?.id : decision.status;
  };
  return { ...setting, lookups, ask };
}

describe("unknown keys", () => {
  it("are looked up a hundred times in a minute for an address, if nothing else is said", async () => {
    const { engine, clock, lookups, ask } = await looking({});
    for (let index = 0; index < 150; index += 1) await ask(`k-${index}`);
    expect(lookups).toHaveLength(100);
    expect([await ask("k-good"), await ask("k-good", "192.0.2.2")]).toEqual([429, "good"]);
    clock.advance(60_000);
    expect(await ask("k-good")).toBe("good");
    await engine.close();
  });

  it("are looked up without end where the author says so", async () => {
    const { engine, lookups, ask } = await looking({ failures: "unlimited" });
    for (let index = 0; index < 150; index += 1) await ask(`k-${index}`);
    expect(lookups).toHaveLength(150);
    await engine.close();
  });

  it("do not bar good ones that come at the same time from elsewhere, and faults count for nothing", async () => {
    const { engine, ask } = await looking({ failures: { limit: 2, window: "1m" } });
    for (let index = 0; index < 5; index += 1) expect(await ask("k-broken")).toBe(500);
    const many = await Promise.all(Array.from({ length: 50 }, () => ask("k-good")));
    expect(new Set(many)).toEqual(new Set(["good"]));
    await engine.close();
  });

  it("are counted in a window that begins with the first of them", async () => {
    const { engine, clock, ask } = await looking({ failures: { limit: 2, window: "1m" } });
    const steps: readonly (readonly [wait: number, key: string, seen: unknown])[] = [
      [0, "k-bad", 401],
      [60_000, "k-good", "good"],
      // What was asked for meanwhile begins nothing.
      [40_000, "k-bad", 401],
      [30_000, "k-worse", 401],
      [0, "k-good", 429],
      [29_999, "k-good", 429],
      [1, "k-good", "good"],
    ];
    for (const [wait, asked, seen] of steps) {
      clock.advance(wait);
      expect(await ask(asked)).toBe(seen);
    }
    await engine.close();
  });

  it("without the prefix are not looked up at all", async () => {
    const { engine, lookups, ask } = await looking({ prefix: "k-" });
    expect([await ask("x-good"), await ask("k-good")]).toEqual([401, "good"]);
    expect(lookups).toEqual([sha256("k-good")]);
    await engine.close();
  });
});

describe("the use of keys", () => {
  it("is told once in a minute for each, and only of good ones", async () => {
    const told: unknown[] = [];
    const { engine, clock, ask } = await looking({ lastSeen: "seen" }, (use) => void told.push(use));
    for (const key of ["k-good", "k-good", "k-bad", "k-other"]) await ask(key);
    const at = clock.now();
    clock.advance(59_999);
    await ask("k-good");
    clock.advance(1);
    await ask("k-good");
    expect(told).toEqual([
      { id: "good", authenticator: "key", at },
      { id: "other", authenticator: "key", at },
      { id: "good", authenticator: "key", at: at + 60_000 },
    ]);
    await engine.close();
  });

  it.each<[string, KeySeen]>([
    [
      "throws",
      () => {
        throw new Error("planted");
      },
    ],
    ["rejects", () => Promise.reject(new Error("planted"))],
    ["never ends", () => new Promise(() => undefined)],
  ])("is nobody's trouble where the telling %s", async (_, seen) => {
    const { engine, ask } = await looking({ lastSeen: "seen" }, seen);
    expect(await ask("k-good")).toBe("good");
    await engine.close();
  });

  it("must have somebody to be told to", async () => {
    await expect(looking({ lastSeen: "sene" }, () => undefined)).rejects.toThrow(
      "`lastSeen` has no function `sene`",
    );
  });
});

it("a limit on what costs nothing is refused", () => {
  const listed = { ...found, keys: [{ id: "a", sha256: sha256("a") }], failures: "unlimited" };
  expect(checkPolicy(policyWith({ key: listed }))).toMatchObject([
    {
      code: "setting-without-effect",
      pointer: "/authenticators/key/failures",
      message: "`failures` means nothing here",
      help: "it spares a lookup, and here is none",
    },
  ]);
});
