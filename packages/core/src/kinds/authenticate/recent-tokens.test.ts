import { describe, expect, it } from "vitest";
import { RecentTokens } from "./recent-tokens.js";
import type { VerifiedToken } from "./token-cache.js";

const verified = (digest: string): VerifiedToken => ({ digest }) as VerifiedToken;
const NOW = 1_000_000;
const presented = (
  text: string,
  mark: number,
  scheme = "",
): { field: string; from: number; mark: number } => ({
  field: scheme + text,
  from: scheme.length,
  mark,
});

describe("RecentTokens", () => {
  it("tells apart what has the same mark by its whole text", () => {
    const recent = new RecentTokens();
    const [a, b] = [verified("a"), verified("b")];
    recent.set(presented("a.token.of-length-1", 7), a, NOW);
    expect(recent.get(presented("a.token.of-length-1", 7), NOW)).toBe(a);
    for (const other of ["b.token.of-length-1", "a.token.of-length-12", "a.token.of-length-", ""])
      expect(recent.get(presented(other, 7), NOW)).toBeUndefined();
    recent.set(presented("b.token.of-length-1", 7), b, NOW);
    expect(recent.get(presented("a.token.of-length-1", 7), NOW)).toBeUndefined();
    expect(recent.get(presented("b.token.of-length-1", 7), NOW)).toBe(b);
  });

  it("tells apart where in the same field the token begins", () => {
    const recent = new RecentTokens();
    const a = verified("a");
    recent.set(presented("token", 7, "Bearer "), a, NOW);
    expect(recent.get(presented("token", 7, "Bearer "), NOW)).toBe(a);
    // A header that holds nothing but keys, and is given what another is given.
    expect(recent.get(presented("Bearer token", 7), NOW)).toBeUndefined();
    expect(recent.get(presented("token", 7), NOW)).toBeUndefined();
    expect(recent.get(presented("token", 7, "bearer "), NOW)).toBeUndefined();
  });

  it("gives two places to what has other marks, and no answer for a third", () => {
    const recent = new RecentTokens();
    const [a, b, c] = [verified("a"), verified("b"), verified("c")];
    const of = (mark: number): VerifiedToken | undefined => recent.get(presented("text", mark), NOW);
    recent.set(presented("text", 1), a, NOW);
    expect([of(1), of(1 + 1024), of(1 - 1024), of(0)]).toEqual([a, undefined, undefined, undefined]);
    recent.set(presented("text", 1 + 1024), b, NOW);
    recent.set(presented("text", 1), a, NOW);
    expect([of(1), of(1 + 1024), of(0)]).toEqual([a, b, undefined]);
    recent.set(presented("text", 1 + 2048), c, NOW);
    expect([of(1), of(1 + 1024), of(1 + 2048)]).toEqual([a, undefined, c]);
  });

  it.each([60_000, -60_000, 3_600_000])("holds nothing any more after %i ms", (later) => {
    const recent = new RecentTokens();
    const token = verified("a");
    recent.set(presented("text", 1), token, NOW);
    expect(recent.get(presented("text", 1), NOW + later - Math.sign(later))).toBe(
      later > 60_000 ? undefined : token,
    );
    expect(recent.get(presented("another", 2), NOW + later)).toBeUndefined();
    expect(recent.get(presented("text", 1), NOW)).toBeUndefined();
  });
});
