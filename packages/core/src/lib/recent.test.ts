import * as fc from "fast-check";
import { LRUCache } from "lru-cache";
import { expect, it } from "vitest";
import { Recent } from "./recent.js";

const keys = fc.integer({ min: 0, max: 9 }).map(String);
const step = fc.oneof(fc.record({ key: keys }), fc.record({ key: keys, value: fc.nat() }));

it("holds what lru-cache holds, whatever is asked and put in", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 7 }), fc.array(step, { maxLength: 200 }), (max, steps) => {
      const [ours, theirs] = [new Recent<number>(max), new LRUCache<string, number>({ max })];
      for (const one of steps) {
        if ("value" in one) {
          ours.set(one.key, one.value);
          theirs.set(one.key, one.value);
        } else expect(ours.get(one.key)).toBe(theirs.get(one.key));
      }
      for (let key = 0; key <= 9; key += 1) expect(ours.get(String(key))).toBe(theirs.get(String(key)));
    }),
    { numRuns: Number(process.env["RECENT_RUNS"] ?? 500) },
  );
});
