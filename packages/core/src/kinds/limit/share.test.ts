/** What part of a limit a process keeps, and where an operator reads that it counts alone. */
import { expect, it } from "vitest";
import { createMemoryStore } from "../../store/index.js";
import { documentOf, pass, storeWith, worldOf } from "./limit.test-support.js";

const TEN = { limit: 10, window: "10s" } as const;

function away(): never {
  throw new Error("away");
}

async function admitted(world: Parameters<typeof pass>[0], times: number): Promise<number> {
  let count = 0;
  for (let n = 0; n < times; n++) if ((await pass(world)) === "admit") count += 1;
  return count;
}

it.each([
  [0.25, 3],
  [1, 10],
  [0, 10],
  [-1, 10],
  [2, 10],
  [Number.NaN, 10],
  ["0.5", 10],
])("a shared store that is away and says %s leaves %i", async (share, left) => {
  const world = await worldOf(documentOf({ few: TEN }), storeWith({ take: away, share: () => share }));
  expect(await admitted(world, 12)).toBe(left);
});

it("one that throws leaves the whole, and what the author wrote wins", async () => {
  const thrown = await worldOf(documentOf({ few: TEN }), storeWith({ take: away, share: away }));
  expect(await admitted(thrown, 12)).toBe(10);
  const written = documentOf({ few: { ...TEN, share: 0.5 } });
  const told = await worldOf(written, storeWith({ take: away, share: () => 0.1 }));
  expect(await admitted(told, 12)).toBe(5);
});

it("a fleet that grows while its store is away is heard", async () => {
  let members = 2;
  const store = storeWith({ take: away, share: () => 1 / members });
  const world = await worldOf(documentOf({ few: { ...TEN, by: "params.id" } }), store);
  expect(await pass(world, "a")).toBe("admit");
  members = 10;
  expect([await pass(world, "b"), await pass(world, "b")]).toEqual(["admit", "429 rate-limited"]);
});

it("a shared store that answers is asked for the whole limit", async () => {
  const world = await worldOf(documentOf({ few: TEN }), storeWith({ share: () => 0.1 }));
  expect(await admitted(world, 12)).toBe(10);
});

it("a store of this process's own keeps its part always", async () => {
  const limits = {
    few: TEN,
    fast: { limit: 10, window: "10s", algorithm: "token-bucket" },
    daily: { limit: 10, window: "day", algorithm: "calendar" },
  } as const;
  for (const [name, limit] of Object.entries(limits)) {
    const world = await worldOf(documentOf({ [name]: limit }), createMemoryStore({ processes: 4 }));
    expect(await admitted(world, 12)).toBe(3);
  }
  expect(() => createMemoryStore({ processes: 0 })).toThrow(RangeError);
  expect(() => createMemoryStore({ processes: 1.5 })).toThrow(RangeError);
});

it.each([
  ["local", ["local-fallback"]],
  ["closed", ["fail-closed"]],
  ["open", ["fail-open"]],
] as const)("the event says where a count came from: %s", async (onStoreFailure, countedBy) => {
  const limits = { few: { ...TEN, onStoreFailure } };
  const world = await worldOf(documentOf(limits), storeWith({ take: away }));
  await pass(world);
  expect(world.events.map((event) => event.countedBy)).toEqual([countedBy]);
});

it("one count by its own store says nothing, and one by a shared store says so", async () => {
  const own = await worldOf(documentOf({ few: TEN }));
  await pass(own);
  expect(own.events[0]).not.toHaveProperty("countedBy");
  const part = { allowed: true, remaining: 1, resetUs: 0, retryUs: 0 };
  const take = (_group: string, ops: readonly unknown[]): unknown => ({
    allowed: true,
    source: "shared",
    per: ops.map(() => part),
  });
  const limits = { few: TEN, more: { ...TEN, by: "params.id" } } as const;
  const shared = await worldOf(documentOf(limits), storeWith({ take }));
  await pass(shared);
  expect(shared.events.map(({ countedBy }) => countedBy)).toEqual([["shared"]]);
});
