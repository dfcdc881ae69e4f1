import { describe, expect, it } from "vitest";
import { Owed, type LeaseOp } from "./owed.js";

const slot = (key: string, holder: string, leaseUs = 1_000_000): LeaseOp => ({
  kind: "lease",
  key,
  limit: 1,
  leaseUs,
  holder,
});

const many = (key: string, count: number): LeaseOp[] =>
  Array.from({ length: count }, (_, n) => slot(key, `h${n}`));

describe("what is owed", () => {
  it("is paid although a node that others belong to is away", async () => {
    const paid: LeaseOp[] = [];
    const owed = new Owed(
      async (ops) => {
        const left = ops.filter(({ key }) => key === "away");
        paid.push(...ops.filter((op) => !left.includes(op)));
        return left;
      },
      () => 0,
    );
    owed.add(many("away", 100));
    owed.add(many("here", 100));
    await owed.pay();
    expect(paid).toHaveLength(100);
    expect(owed.size).toBe(100);
  });

  it("is forgotten where there is no room, and its lease has ended", async () => {
    let nowUs = 0;
    const owed = new Owed(
      async (ops) => ops,
      () => nowUs,
    );
    owed.add(many("away", 5000));
    expect(owed.size).toBe(4096);
    nowUs = 999_999;
    owed.add([slot("late", "h")]);
    await owed.pay();
    expect(owed.size).toBe(4096);
    nowUs = 1_000_000;
    await owed.pay();
    expect(owed.size).toBe(4096);
    owed.add([slot("late", "h")]);
    expect(owed.size).toBe(1);
  });

  it("is owed still where it came again while it was paid", async () => {
    const held: (() => void)[] = [];
    const owed = new Owed(
      () => new Promise((resolve) => void held.push(() => resolve([]))),
      () => 0,
    );
    owed.add([slot("a", "h")]);
    const paying = owed.pay();
    owed.add([slot("a", "h")]);
    for (const go of held) go();
    await paying;
    expect(owed.size).toBe(1);
  });
});
