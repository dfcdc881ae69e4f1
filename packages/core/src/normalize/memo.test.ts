import { describe, expect, it } from "vitest";
import { memoized } from "./memo.js";

const MAX = 50;

/** What is worked out for so many callers who take turns, in each round. */
function rounds(callers: number, times: number): number[] {
  let worked = 0;
  const known = memoized(MAX, (text) => {
    worked += 1;
    return `${text}!`;
  });
  return Array.from({ length: times }, () => {
    worked = 0;
    for (let n = 0; n < callers; n++) expect(known(`caller ${n}`)).toBe(`caller ${n}!`);
    return worked;
  });
}

describe("memoized", () => {
  it("works out once what it can remember", () => {
    expect(rounds(MAX, 3)).toEqual([MAX, 0, 0]);
  });

  it("of more than that who take turns it knows as many as it can remember, nearly always, and never more", () => {
    const worked = rounds(2 * MAX, 90).slice(1);
    for (const count of worked) expect(count).toBeGreaterThanOrEqual(MAX);
    expect(worked.filter((count) => count > MAX).length).toBeLessThanOrEqual(20);
  });

  it("knows a crowd that came later, once strangers have been many", () => {
    let worked = 0;
    const known = memoized(MAX, (text) => {
      worked += 1;
      return text;
    });
    for (let n = 0; n < MAX; n++) known(`first ${n}`);
    for (let round = 0; round < 10; round++) for (let n = 0; n < MAX; n++) known(`later ${n}`);
    worked = 0;
    for (let n = 0; n < MAX; n++) known(`later ${n}`);
    expect(worked).toBe(0);
  });

  it("remembers no long text", () => {
    let worked = 0;
    const known = memoized(MAX, (text) => {
      worked += 1;
      return text;
    });
    known("x".repeat(256));
    known("x".repeat(256));
    expect(worked).toBe(1);
    known("x".repeat(257));
    known("x".repeat(257));
    expect(worked).toBe(3);
  });
});
