/** Nothing that a shared store says is believed, however it says it, and nothing of it reaches a header field unread. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { StoreError } from "../../ports/state-store.js";
import { documentOf, open, pass, said, storeWith, worldOf } from "./limit.test-support.js";

const ONE = { limit: 1, window: "10s" } as const;
const PART = { allowed: true, remaining: 0, resetUs: 0, retryUs: 0 };

function answering(part: object): unknown {
  return { allowed: true, source: "shared", per: [{ ...PART, ...part }] };
}

function planted(): never {
  throw new Error("planted");
}

const trap = new Proxy({}, { get: planted, has: planted, getPrototypeOf: planted });
/** Read by the engine, not by `await`: that would meet the trap before the engine does. */
const trapped = { allowed: true, source: "shared", per: trap };

const HOSTILE: readonly (readonly [name: string, take: () => unknown])[] = [
  ["throws whatever is asked of its answer", () => trap],
  ["throws when its parts are read", () => ({ ...trapped, per: [trap] })],
  ["answers late with parts that throw", () => Promise.resolve({ ...trapped, per: [trap] })],
  // eslint-disable-next-line unicorn/no-thenable -- this is the hostile answer
  ["gives a promise that throws", () => ({ then: planted })],
  ["counts in fractions", () => answering({ remaining: 0.5 })],
  ["counts beyond what a field can say", () => answering({ remaining: 1e21 })],
  ["waits in fractions", () => answering({ resetUs: 0.5 })],
  ["waits beyond all time", () => answering({ resetUs: 1e300 })],
  [
    "refuses for longer than can be said",
    () => ({ allowed: false, source: "shared", per: [{ ...PART, allowed: false, retryUs: 1e300 }] }),
  ],
];

afterEach(() => {
  vi.useRealTimers();
});

describe.each(HOSTILE)("a store that %s", (_name, take) => {
  it("is replaced by this process's own counting (B6.107)", async () => {
    const world = await worldOf(documentOf({ few: ONE }), storeWith({ take }));
    expect([await pass(world), await pass(world)]).toEqual(["admit", "429 rate-limited"]);
  });

  it("refuses with 503 where the author chose closed", async () => {
    const world = await worldOf(
      documentOf({ few: { ...ONE, onStoreFailure: "closed" } }),
      storeWith({ take }),
    );
    expect(await pass(world)).toBe("503 capacity-reduced");
  });

  it("lets pass, and says so, where the author chose open", async () => {
    const world = await worldOf(documentOf({ few: { ...ONE, onStoreFailure: "open" } }), storeWith({ take }));
    expect(await pass(world)).toBe("admit");
    expect(world.events.map(({ failedOpen }) => failedOpen)).toEqual([["few"]]);
  });
});

it("a shared store without room is a store that failed, not this process that is full", async () => {
  const full = (): never => {
    throw new StoreError("oom", true, "full");
  };
  const world = await worldOf(documentOf({ few: ONE }), storeWith({ take: full }));
  expect([await pass(world), await pass(world)]).toEqual(["admit", "429 rate-limited"]);
});

it("a store that fell back by itself is heard: open is said, and closed is no fault of the caller's", async () => {
  const opened = await worldOf(
    documentOf({ few: ONE }),
    storeWith({ take: () => ({ allowed: true, source: "fail-open", per: [PART] }) }),
  );
  expect(await pass(opened)).toBe("admit");
  expect(opened.events.map(({ failedOpen }) => failedOpen)).toEqual([["few"]]);
  const shut = await worldOf(
    documentOf({ few: ONE }),
    storeWith({
      take: () => ({ allowed: false, source: "fail-closed", per: [{ ...PART, allowed: false }] }),
    }),
  );
  expect(await pass(shut)).toBe("503 capacity-reduced");
});

it("of a take that comes late only the slot is given back: the charge might have been admitted twice", async () => {
  vi.useFakeTimers();
  const settled: unknown[] = [];
  let answer: (value: unknown) => void = () => undefined;
  const document = documentOf({
    a: { limit: 1, algorithm: "concurrency", onStoreFailure: "closed" },
    b: { limit: 1, window: "10s", count: "failures" },
  });
  const take = (): unknown => new Promise((resolve) => void (answer = resolve));
  const settle = (_group: string, _token: unknown, deltas: unknown): void => void settled.push(deltas);
  const world = await worldOf(document, storeWith({ take, settle }));
  const decision = Promise.resolve(open(world).head());
  await vi.advanceTimersByTimeAsync(60);
  expect(said(await decision)).toBe("503 capacity-reduced");
  answer({ allowed: true, source: "shared", per: [PART, PART], token: {} });
  await vi.advanceTimersByTimeAsync(1);
  expect(settled).toEqual([[-1, undefined]]);
});

it("a refusal that comes late lent nothing, and nothing is given back", async () => {
  vi.useFakeTimers();
  const calls: string[] = [];
  let answer: (value: unknown) => void = () => undefined;
  const document = documentOf({ one: { limit: 1, algorithm: "concurrency", onStoreFailure: "open" } });
  const take = (): unknown => new Promise((resolve) => void (answer = resolve));
  const world = await worldOf(document, storeWith({ take }, calls));
  const decision = Promise.resolve(open(world).head());
  await vi.advanceTimersByTimeAsync(60);
  expect(said(await decision)).toBe("admit");
  answer({ allowed: false, source: "shared", per: [{ ...PART, allowed: false, retryUs: 1 }], token: {} });
  await vi.advanceTimersByTimeAsync(1);
  expect(calls).toEqual(["take"]);
});

it("what comes after the deadline harms nobody, whatever it is", async () => {
  vi.useFakeTimers();
  let answer: (value: unknown) => void = () => undefined;
  const document = documentOf({ one: { limit: 1, algorithm: "concurrency", onStoreFailure: "closed" } });
  const world = await worldOf(
    document,
    storeWith({ take: () => new Promise((resolve) => void (answer = resolve)) }),
  );
  const unheard = vi.fn();
  process.on("unhandledRejection", unheard);
  const decision = Promise.resolve(open(world).head());
  await vi.advanceTimersByTimeAsync(60);
  expect(said(await decision)).toBe("503 capacity-reduced");
  answer({ ...trapped, per: [trap] });
  vi.useRealTimers();
  await new Promise((resolve) => setTimeout(resolve, 5));
  process.off("unhandledRejection", unheard);
  expect(unheard).not.toHaveBeenCalled();
});
