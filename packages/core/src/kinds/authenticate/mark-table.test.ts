import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MarkTable, MOST_MARKED } from "./mark-table.js";
import { TokenCache, type VerifiedToken } from "./token-cache.js";
import { Credential } from "./credential.js";
import { platform } from "#platform";

const verified = (digest: string): VerifiedToken => ({ digest }) as VerifiedToken;

describe("MarkTable", () => {
  it("answers_as_a_map_does", () => {
    // Few places, so that they are fought for; the last ones, so that the search goes round.
    const mark = fc
      .tuple(fc.constantFrom(0, 1, 2, 8190, 8191), fc.constantFrom(0, 8192, -8192, 1 << 30, -(1 << 30)))
      .map(([place, above]) => (place + above) | 0);
    fc.assert(
      fc.property(fc.array(fc.oneof(mark, fc.integer())), fc.array(mark), (marks, others) => {
        const table = new MarkTable();
        const map = new Map<number, VerifiedToken>();
        // Mark 0 is kept as 1.
        const kept = (one: number): number => (one === 0 ? 1 : one);
        for (const [index, one] of marks.entries()) {
          const token = verified(String(index));
          table.set(one, token);
          map.set(kept(one), token);
        }
        for (const one of [...marks, ...others]) expect(table.get(one)).toBe(map.get(kept(one)));
        table.clear();
        for (const one of marks) expect(table.get(one)).toBeUndefined();
      }),
    );
  });

  it("counts what it holds, not what was put there", () => {
    const table = new MarkTable();
    for (let round = 0; round < 2; round += 1) {
      for (let mark = 1; mark < MOST_MARKED; mark += 1) table.set(mark * 7919, verified(String(mark)));
      expect(table.full).toBe(false);
    }
    table.set(MOST_MARKED * 7919, verified("last"));
    expect(table.full).toBe(true);
    table.clear();
    expect(table.full).toBe(false);
  });
});

describe("TokenCache", () => {
  const credential = (index: number): Credential =>
    new Credential(`a.b.${platform.sha256Hex(String(index))}`, 0, platform);

  it("holds 10,000 tokens at most, those that were used last", () => {
    const cache = new TokenCache();
    const all = Array.from({ length: 3 * MOST_MARKED }, (_, index) => credential(index));
    const known = (): number => all.filter((one) => cache.get(one)?.digest === one.digest).length;
    const add = (one: Credential): void => cache.add(one, verified(one.digest));
    all.slice(0, MOST_MARKED).forEach(add);
    expect(known()).toBeGreaterThan(MOST_MARKED * 0.99);
    all.slice(MOST_MARKED).forEach(add);
    expect(known()).toBeLessThanOrEqual(2 * MOST_MARKED);
    expect(cache.get(all[0] ?? credential(0))).toBeUndefined();
    const last = all.at(-1) ?? credential(0);
    expect(cache.get(last)?.digest).toBe(last.digest);
  });

  it("takes no other token for one that has its mark", () => {
    const cache = new TokenCache();
    const [one, other] = [
      new Credential("a.b.12345678x", 0, platform),
      new Credential("c.d.12345678x", 0, platform),
    ];
    expect(one.mark).toBe(other.mark);
    cache.add(one, verified(one.digest));
    expect(cache.get(other)).toBeUndefined();
    cache.add(other, verified(other.digest));
    expect([cache.get(one), cache.get(other)?.digest]).toEqual([undefined, other.digest]);
  });
});
