/** Nothing that a shared store says is believed, however it says it, and nothing of it reaches a header field unread. */
import { afterEach, describe, expect, it, vi } from "vitest";
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
