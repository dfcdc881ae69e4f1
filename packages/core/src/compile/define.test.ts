import { expect, it } from "vitest";
import { definePolicy } from "./define.js";

it("hands a policy back as it was given", () => {
  const policy = { gatehouse: 1, name: "t", routes: { "GET /a": { authenticate: "none" } } } as const;
  expect(definePolicy(policy)).toBe(policy);
});
