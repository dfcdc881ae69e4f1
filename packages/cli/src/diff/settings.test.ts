/**
 * No setting is without a part in what diff says. Every setting of the policies of all cases is changed, and what that makes may not be
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

/** Settings that change nothing where they first stand. */
const IDLE: readonly string[] = [
  // Written as it is by default.
  "authenticators/*/principal/* without",
  "csrf without",
  "defaults without",
  "defaults/authenticate without",
  "transport/hsts/includeSubDomains without",
  // Of an open route, where nobody is spared.
  "groups/*/response/redact/*/unless without",
  // Named by nothing.
  "limits/* without",
  "roles without",
  "roles/* without",
  // What is only written leaves no more than what is not declared.
  "routes/*/response/body/properties/password without",
  "routes/*/response/body/properties/password/type without",
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

/** To take a setting out tells whether it is read, and costs the least; all changes are tried where the environment says so. */
const all = process.env["GATEHOUSE_DIFF_SETTINGS"] === "all";

/** Undefined: taken out. */
function* changesOf(value: unknown): Iterable<readonly [how: string, changed: unknown]> {
  yield ["without", undefined];
  if (!all) return;
  if (typeof value === "boolean") yield ["not", !value];
  if (typeof value === "number") yield* [["more", value + 1] as const, ["much more", value * 3] as const];
  if (typeof value === "string") yield* [["other", `${value}x`] as const, ["longer", `7${value}`] as const];
}

function* settingsOf(value: unknown, path: Path = []): Iterable<readonly [Path, unknown]> {
  if (path.length > 0) yield [path, value];
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) yield* settingsOf(inner, [...path, key]);
}

function changed(value: unknown, [step = "", ...rest]: Path, to: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map((one: unknown, at) =>
      `${at}` === step && rest.length > 0 ? changed(one, rest, to) : one,
    );
    return rest.length > 0 ? items : items.toSpliced(Number(step), 1, ...(to === undefined ? [] : [to]));
  }
  const members = { ...(value as Readonly<Record<string, unknown>>) };
  if (rest.length > 0) members[step] = changed(members[step], rest, to);
  else if (to === undefined) delete members[step];
  else members[step] = to;
  return members;
}

function policies(): readonly PolicyDocument[] {
  return caseFiles().flatMap(({ file }) => {
    const first = new Map(file.cases.map((one) => [one.policy, one]));
    return [...first.values()].map((one) => prepareCase(file, one).policy).filter(isUsable);
  });
}

it("calls no change of a setting the same", { timeout: 120_000 }, () => {
  const seen = new Set<string>();
  const silent = new Map<string, string>();
  for (const policy of policies()) {
    const analysed = analyse(policy);
    for (const [path, value] of settingsOf(policy)) {
      for (const [how, to] of changesOf(value)) {
        const kind = `${kindOf(path)} ${how}`;
        if (seen.has(kind)) continue;
        const made = changed(policy, path, to);
        if (!isUsable(made)) continue;
        seen.add(kind);
        if (isSame(analysed, analyse(made))) silent.set(kind, path.join("/"));
      }
    }
  }
  expect(seen.size).toBeGreaterThan(300);
  expect([...silent.keys()].sort(), JSON.stringify([...silent])).toEqual([...IDLE].sort());
});
