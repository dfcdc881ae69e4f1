import { expect, it } from "vitest";
import { lazy } from "./lazy.js";

it("works once, and not before it is asked", () => {
  let worked = 0;
  const known = lazy(() => `${(worked += 1)}`);
  expect(worked).toBe(0);
  expect([known(), known()]).toEqual(["1", "1"]);
});
