/**
 * No setting is without a part in what diff says. Every setting of the policies of all cases is taken out, and what that makes may not be
 * the same: a setting that the language gains and that nothing here reads would be taken for no difference.
 */
import { checkPolicy, type PolicyDocument } from "@gatehouse/core";
import { analyse, type AnalysedPolicy } from "@gatehouse/core/analysis";
import { caseFiles, prepareCase } from "@gatehouse/core/conformance";
import { expect, it } from "vitest";
import { ASPECTS } from "./model.js";
import { pairsOf } from "./pairs.js";
import { judge } from "./rules.js";

type Path = readonly string[];

/** Where they first stand, these change nothing. */
const IDLE: readonly string[] = [
  // Written as it is by default.
  "authenticators/*/principal/*",
  "csrf",
  "defaults",
  "defaults/authenticate",
  "transport/hsts/includeSubDomains",
  // Of an open route, where nobody is spared.
  "groups/*/response/redact/*/unless",
  // Named by nothing.
  "roles",
  // Only observed.
  "shed",
];

/** Below these stand names of the author's. */
const NAMED = new Set(
  "routes authenticators limits groups schemas roles claims redact principal sanitize sanitizing bodies params query cookies".split(
    " ",
  ),
);

function kindOf(path: Path): string {
  return path
    .map((step, at) => (NAMED.has(path[at - 1] ?? "") ? "*" : /^\d+$/u.test(step) ? "#" : step))
    .join("/");
}

function isUsable(document: unknown): document is PolicyDocument {
  return checkPolicy(document).every(({ severity }) => severity !== "error");
}

function isSame(old: AnalysedPolicy, fresh: AnalysedPolicy): boolean {
  const { pairs, complete } = pairsOf(old, fresh);
  return pairs.every((pair) => {
    if (pair.old.matched !== pair.new.matched) return false;
    return ASPECTS.every((aspect) =>
      [
        judge(aspect, pair.new, pair.old, pair, complete),
        judge(aspect, pair.old, pair.new, pair, complete),
      ].every(({ proof }) => proof.shown),
    );
  });
}

/** Schemas are a language of their own. */
const SCHEMAS = new Set(["body", "bodies", "schemas", "events", "params", "query", "cookies"]);

function* settingsOf(value: unknown, path: Path = []): Iterable<Path> {
  if (path.length > 0) yield path;
  if (path.some((step) => SCHEMAS.has(step))) return;
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) yield* settingsOf(inner, [...path, key]);
}

function without(value: unknown, [step = "", ...rest]: Path): unknown {
  if (Array.isArray(value))
    return value.flatMap((one: unknown, at) =>
      `${at}` !== step ? [one] : rest.length > 0 ? [without(one, rest)] : [],
    );
  const members = { ...(value as Readonly<Record<string, unknown>>) };
  if (rest.length > 0) members[step] = without(members[step], rest);
  else delete members[step];
  return members;
}

function policies(): readonly PolicyDocument[] {
  return caseFiles().flatMap(({ file }) => {
    const first = new Map(file.cases.map((one) => [one.policy, one]));
    return [...first.values()].map((one) => prepareCase(file, one).policy).filter(isUsable);
  });
}

it("calls no policy the same without one of its settings", { timeout: 120_000 }, () => {
  const seen = new Set<string>();
  /** Often it is needed wherever it stands. */
  const unusable = new Map<string, number>();
  const silent = new Set<string>();
  for (const policy of policies()) {
    const analysed = analyse(policy);
    for (const path of settingsOf(policy)) {
      const kind = kindOf(path);
      if (seen.has(kind) || (unusable.get(kind) ?? 0) > 1) continue;
      const made = without(policy, path);
      if (!isUsable(made)) {
        unusable.set(kind, (unusable.get(kind) ?? 0) + 1);
        continue;
      }
      seen.add(kind);
      if (isSame(analysed, analyse(made))) silent.add(kind);
    }
  }
  expect(seen.size).toBeGreaterThan(200);
  expect([...silent].sort()).toEqual([...IDLE].sort());
});
