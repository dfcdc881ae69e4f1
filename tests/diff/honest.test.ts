/**
 * Diff is honest: on generated pairs of policies no random request contradicts a `same` or the direction of a verdict, and every witness
 * holds when it is made again. How often verdicts are of each kind and how often requests differ is held to account too: a
 * property that nothing could break would say nothing.
 */
import { checkPolicy, type PolicyDocument } from "@gatehouse/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { diffPolicies, Duel, type Exchange, type PolicyDiff, type Step, type DiffWitness } from "gatehouse";
import { couples, type Couple } from "./arbitrary.js";
import { alike, askedMethod, contradictions, rowFor, told, type Keys, type Modes } from "./oracle.js";
import { asked, type Asked } from "./requests.js";

const runs = Number(process.env["GATEHOUSE_DIFF_PAIRS"] ?? 30);
const seed = Number(process.env["GATEHOUSE_DIFF_SEED"] ?? 1);
const REQUESTS = 12;

class Tally {
  readonly counts = new Map<string, number>();
  add(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by);
  }
  of(what: string): number {
    return this.counts.get(what) ?? 0;
  }
}

function usable(document: unknown): document is PolicyDocument {
  return checkPolicy(document).every(({ severity }) => severity !== "error");
}

function modesOf(old: PolicyDocument, fresh: PolicyDocument): Modes {
  const of = (document: PolicyDocument): ReadonlyMap<string, boolean> =>
    new Map(Object.entries(document.routes).map(([key, { mode }]) => [key, mode === "observe"]));
  return { old: of(old), new: of(fresh) };
}

/** Where both lead it to no route and refuse it, a preflight is an OPTIONS like any other. */
async function keysOf(one: Asked, { old, new: fresh }: Exchange, duel: Duel): Promise<Keys> {
  const own = { old: old.result.route, new: fresh.result.route };
  const method = askedMethod(old.result);
  const ordinary = [old, fresh].every(({ result }) => result.route === null && result.outcome === "refuse");
  if (method === undefined || ordinary) return own;
  const actual = await duel.ask({ ...one, request: { method, target: one.request.target } });
  return actual === undefined ? own : { old: actual.old.result.route, new: actual.new.result.route };
}

/** Made again, each comes out as it was told. */
async function brokenWitnesses(diff: PolicyDiff, duel: Duel, tally: Tally): Promise<unknown[]> {
  const broken: unknown[] = [];
  for (const row of diff.routes) {
    for (const aspect of row.aspects) {
      tally.add(`${aspect.aspect}: ${aspect.verdict}`);
      tally.add(aspect.verdict);
      const { verdict, wider, narrower } = aspect;
      const needs = [
        [wider, verdict === "wider" || verdict === "changed both ways", "wider"],
        [narrower, verdict === "narrower" || verdict === "changed both ways", "narrower"],
      ] as const;
      for (const [witness, needed, direction] of needs) {
        if (needed && witness === undefined)
          broken.push({ row: [row.old, row.new], aspect, missing: direction });
        if (!needed || witness === undefined) continue;
        tally.add("witnesses");
        const again = await repeated(witness, duel);
        const same = again !== undefined && sameOutcome(again, witness.exchange);
        if (!same)
          broken.push({
            row: [row.old, row.new],
            aspect: aspect.aspect,
            direction,
            again: again === undefined ? "nothing" : [told(again.old.result), told(again.new.result)],
          });
        else if (alike(again.old.result, again.new.result))
          broken.push({
            row: [row.old, row.new],
            aspect: aspect.aspect,
            direction,
            same: told(again.old.result),
          });
      }
    }
  }
  return broken;
}

async function repeated({ exchange, before, wait }: DiffWitness, duel: Duel): Promise<Exchange | undefined> {
  const steps: Step[] = [
    ...before.map((one) => ({ candidate: one.exchange.candidate, wait: one.wait })),
    { candidate: exchange.candidate, wait },
  ];
  const exchanges = await duel.follow(steps, () => false);
  return exchanges.at(-1);
}

function sameOutcome(a: Exchange, b: Exchange): boolean {
  return told(a.old.result) === told(b.old.result) && told(a.new.result) === told(b.new.result);
}

/** One request again and again: whether the one lets a row of them pass whole that the other does not. */
async function limitContradictions(
  diff: PolicyDiff,
  duel: Duel,
  one: Asked,
  waits: readonly number[],
  tally: Tally,
): Promise<unknown[]> {
  const alone = await duel.ask(one);
  if (
    alone === undefined ||
    alone.old.refusedAt !== alone.new.refusedAt ||
    alone.old.refusedAt?.includes("limit") === true
  )
    return [];
  const exchanges = await duel.follow(
    waits.map((wait) => ({ candidate: one, wait })),
    () => false,
  );
  const limited = (side: "old" | "new"): boolean =>
    exchanges.some((each) => each[side].refusedAt?.includes("limit") === true);
  const verdict = rowFor(diff, alone.old.result.route, alone.new.result.route)?.aspects.find(
    ({ aspect }) => aspect === "limits",
  )?.verdict;
  if (verdict === undefined || limited("old") === limited("new")) return [];
  tally.add("sequences that differ");
  const direction = limited("old") ? "wider" : "narrower";
  return [direction, "changed both ways", "undecided"].includes(verdict)
    ? []
    : [{ limits: verdict, direction, one, waits }];
}

const waits = fc.array(fc.constantFrom(0, 0, 0, 0, 2_000, 6_000, 11_000, 61_000), {
  minLength: 2,
  maxLength: 9,
});

async function judge(
  { old, new: fresh }: Couple,
  requests: readonly Asked[],
  sequences: readonly (readonly [Asked, readonly number[]])[],
  tally: Tally,
): Promise<void> {
  fc.pre(usable(old) && usable(fresh));
  const diff = await diffPolicies(old, fresh);
  const duel = await Duel.between(old, fresh);
  try {
    const modes = modesOf(old, fresh);
    const found: unknown[] = [];
    for (const one of requests) {
      const exchange = await duel.ask(one);
      if (exchange === undefined) continue;
      tally.add("requests");
      if (exchange.old.result.outcome === "admit" || exchange.new.result.outcome === "admit")
        tally.add("requests admitted by one");
      if (!alike(exchange.old.result, exchange.new.result)) tally.add("requests that differ");
      if ((exchange.old.result.outcome === "admit") !== (exchange.new.result.outcome === "admit"))
        tally.add("requests admitted by one alone");
      const keys = await keysOf(one, exchange, duel);
      const against = contradictions(diff, exchange.old.result, exchange.new.result, modes, keys);
      if (against.length > 0) found.push({ against, one });
    }
    for (const [one, steps] of sequences)
      found.push(...(await limitContradictions(diff, duel, one, steps, tally)));
    found.push(...(await brokenWitnesses(diff, duel, tally)));
    tally.add("pairs");
    expect(found).toEqual([]);
  } finally {
    await duel.close();
  }
}

describe("diff is honest", () => {
  it(`on ${runs} generated pairs of policies`, { timeout: 3_600_000 }, async () => {
    const tally = new Tally();
    await fc.assert(
      fc.asyncProperty(
        couples,
        fc.array(asked, { minLength: REQUESTS, maxLength: REQUESTS }),
        fc.array(fc.tuple(asked, waits), { minLength: 2, maxLength: 2 }),
        (couple, requests, sequences) => judge(couple, requests, sequences, tally),
      ),
      {
        numRuns: runs,
        seed,
        ...(process.env["GATEHOUSE_DIFF_SHRINK"] === "0" ? { endOnFailure: true } : {}),
      },
    );
    if (process.env["GATEHOUSE_DIFF_REPORT"] !== undefined)
      process.stdout.write(
        [...tally.counts]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([what, count]) => `${what}: ${count}`)
          .join("\n"),
      );
    expect(tally.of("pairs")).toBe(runs);
    for (const verdict of ["same", "wider", "narrower", "changed both ways"])
      expect(tally.of(verdict)).toBeGreaterThan(0);
    expect(tally.of("requests that differ") / tally.of("requests")).toBeGreaterThan(0.02);
    expect(tally.of("requests admitted by one") / tally.of("requests")).toBeGreaterThan(0.1);
  });
});

/** What a diff could overlook. It would say `same` of a policy and the same with this done to it. */
const BLIND: readonly (readonly [string, (text: string) => string])[] = [
  ["`<` taken for `<=`", (text) => text.replaceAll(/ < (?=\d)/g, " <= ")],
  [
    "the hierarchy of roles",
    (text) =>
      text
        .replaceAll(/"clerk":\["customer"\]/g, '"clerk":[]')
        .replaceAll(/"admin":\["clerk"(?:,"customer")?\]/g, '"admin":[]'),
  ],
  ["`forbid`", (text) => text.replaceAll(/,"forbid":"[^"]*"/g, "")],
  ["scopes", (text) => text.replaceAll(/"scopes":\["read"\]/g, '"scopes":["write"]')],
  ["checks", (text) => text.replaceAll(/"check":"own"/g, '"check":"other"')],
  ["bounds of schemas", (text) => text.replaceAll(/"maximum":(?:9|10)\b/g, '"maximum":20')],
  ["`required`", (text) => text.replaceAll(/"required":\["amount"/g, '"required":["name"')],
  ["origins", (text) => text.replaceAll("https://shop.test", "https://evil.test")],
  ["hosts", (text) => text.replaceAll(/"hosts":\["[^\]]*\]/g, '"hosts":["b.test"]')],
  ["the audience", (text) => text.replaceAll('"audience":"api"', '"audience":"web"')],
  [
    "redactions",
    (text) =>
      text.replaceAll(/"redact":\{"\/secret":"(?:remove|mask|null)"\}/g, '"redact":{"/secret":"last4"}'),
  ],
  [
    "what a group demands",
    (text) =>
      text.replaceAll(
        /"\/a":\{"require":\{"roles":\["(?:customer|clerk)"\]/g,
        '"/a":{"require":{"roles":["admin"]',
      ),
  ],
  ["what a group closes", (text) => text.replaceAll(/,?"\/c\/k":\{\}/g, "")],
  ["observing", (text) => text.replaceAll('"mode":"observe",', "")],
  ["concealing", (text) => text.replaceAll('"conceal":true,', "")],
];

const cases = fc.tuple(couples, fc.array(asked, { minLength: 30, maxLength: 30 }));
let drawn: ReturnType<typeof fc.sample<[Couple, Asked[]]>> | undefined;

/** Drawn once for all of them. */
function sample(): readonly (readonly [Couple, readonly Asked[]])[] {
  return (drawn ??= fc.sample(cases, { numRuns: 400, seed: 5 }));
}

describe("the property bites: a diff would be caught that is blind for", () => {
  it.each(BLIND)("%s", { timeout: 120_000 }, async (_what, overlook) => {
    let caught = 0;
    let tried = 0;
    for (const [{ old }, requests] of sample()) {
      const changed: unknown = JSON.parse(overlook(JSON.stringify(old)));
      if (caught > 0 || JSON.stringify(changed) === JSON.stringify(old) || !usable(old) || !usable(changed))
        continue;
      tried += 1;
      const diff = await diffPolicies(old, old);
      const duel = await Duel.between(old, changed);
      for (const one of requests) {
        const exchange = await duel.ask(one);
        if (exchange === undefined) continue;
        caught += contradictions(
          diff,
          exchange.old.result,
          exchange.new.result,
          modesOf(old, changed),
          await keysOf(one, exchange, duel),
        ).length;
      }
      await duel.close();
    }
    expect(tried).toBeGreaterThan(0);
    expect(caught, `of ${tried} pairs`).toBeGreaterThan(0);
  });
});
