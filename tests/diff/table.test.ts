/** What diff says of one change at a time, as data. */
import { checkPolicy, type PolicyDocument } from "@gatehouse/core";
import { diffPolicies } from "gatehouse";
import { expect, it } from "vitest";
import table from "./table.json" with { type: "json" };

interface Row {
  readonly name: string;
  readonly route: string;
  readonly aspect: string;
  readonly verdict: string;
  readonly old: unknown;
  readonly new: unknown;
}

/** RFC 7396. */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const made: Record<string, unknown> =
    typeof target === "object" && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete made[key];
    else made[key] = merged(made[key], value);
  }
  return made;
}

function policyOf(patch: unknown): PolicyDocument {
  const document = merged(table.base, patch) as PolicyDocument;
  expect(checkPolicy(document).filter(({ severity }) => severity === "error")).toEqual([]);
  return document;
}

function rowOf(route: string): readonly [string | null, string | null] {
  const [old = "", fresh = old] = route.split(" -> ");
  return [old === "null" ? null : old, fresh === "null" ? null : fresh];
}

const rows = table.rows as readonly Row[];

it("has at least 80 rows, each aspect and each verdict among them", () => {
  expect(rows.length).toBeGreaterThanOrEqual(80);
  expect(new Set(rows.map(({ aspect }) => aspect)).size).toBe(13);
  expect(new Set(rows.map(({ verdict }) => verdict)).size).toBe(5);
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
});

it.each(rows)("$aspect is $verdict: $name", async ({ route, aspect, verdict, old, new: fresh }) => {
  const diff = await diffPolicies(policyOf(old), policyOf(fresh));
  const [from, to] = rowOf(route);
  const row = diff.routes.find((one) => one.old === from && one.new === to);
  const found = row?.aspects.find((one) => one.aspect === aspect);
  expect({ verdict: found?.verdict, reason: found?.reason }).toEqual({ verdict, reason: found?.reason });
  expect(found?.wider !== undefined || !["wider", "changed both ways"].includes(verdict)).toBe(true);
  expect(found?.narrower !== undefined || !["narrower", "changed both ways"].includes(verdict)).toBe(true);
});
