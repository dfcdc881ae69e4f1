/**
 * Replay never guesses: on generated pairs of policies each decision of the one is replayed against the other, which is asked the same
 * besides. Whatever the replay claims must be so; what it does not know is counted, since a replay that knows nothing says nothing wrong.
 */
import { createHash } from "node:crypto";
import { checkPolicy, plainEvent, type DecisionEvent, type PolicyDocument } from "@gatehouse/core";
import fc from "fast-check";
import { Duel, replayLog, type Exchange, type ReplayCategory } from "gatehouse";
import { expect, it } from "vitest";
import { couples } from "./arbitrary.js";
import { asked } from "./requests.js";

const runs = Number(process.env["GATEHOUSE_REPLAY_PAIRS"] ?? 12);
const seed = Number(process.env["GATEHOUSE_REPLAY_SEED"] ?? 1);
const REQUESTS = 12;

function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const members = Object.entries(value as Record<string, unknown>).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(",")}}`;
}

function usable(document: unknown): document is PolicyDocument {
  return checkPolicy(document).every(({ severity }) => severity !== "error");
}

/** What the candidate really said, as the replay words it. */
function categoryOf({ old, new: fresh }: Exchange): ReplayCategory {
  const before = old.result.outcome;
  const after = fresh.result.outcome;
  if (before === "admit") return after === "admit" ? "same" : "newly refused";
  if (after === "admit") return "newly admitted";
  return old.result.code === fresh.result.code && before === after ? "same" : "changed code";
}

it(
  `claims nothing that is not so, on ${runs} generated pairs of policies`,
  { timeout: 3_600_000 },
  async () => {
    const tally = new Map<string, number>();
    const add = (what: string): void => void tally.set(what, (tally.get(what) ?? 0) + 1);
    await fc.assert(
      fc.asyncProperty(
        couples,
        fc.array(asked, { minLength: REQUESTS, maxLength: REQUESTS }),
        async ({ old, new: fresh }, requests) => {
          fc.pre(usable(old) && usable(fresh));
          const revision = createHash("sha256").update(canonical(old)).digest("hex");
          let event: DecisionEvent | undefined;
          const duel = await Duel.between(old, fresh, (side, told) => {
            if (side === "old") event = told;
          });
          try {
            for (const one of requests) {
              event = undefined;
              const exchange = await duel.ask(one);
              if (exchange === undefined || event === undefined) continue;
              // The kit's own document has keys of its own.
              const line = JSON.stringify(plainEvent({ ...(event as DecisionEvent), revision }));
              const report = await replayLog([line], fresh, { served: [old] });
              const claimed = (Object.keys(report.counts) as ReplayCategory[]).find(
                (name) => report.counts[name] === 1,
              );
              add(claimed ?? "nothing");
              const [finding] = report.findings;
              if (claimed === "unknown") {
                add(`unknown at ${finding?.candidate.stage ?? "the path"}`);
                continue;
              }
              const said = { line, claimed, candidate: finding?.candidate, really: exchange.new.code };
              expect({ ...said, claimed }).toEqual({ ...said, claimed: categoryOf(exchange) });
              // Where several rules refuse, which of them is told first may not be worked out: then no code is claimed.
              const code = finding?.candidate.code;
              if (code !== undefined && exchange.new.result.outcome === "refuse")
                expect({ ...said, code }).toEqual({
                  ...said,
                  code: exchange.new.code,
                });
            }
          } finally {
            await duel.close();
          }
        },
      ),
      { numRuns: runs, seed },
    );
    const all = [...tally]
      .filter(([what]) => !what.startsWith("unknown at"))
      .reduce((sum, [, count]) => sum + count, 0);
    if (process.env["GATEHOUSE_REPLAY_REPORT"] !== undefined)
      process.stdout.write(
        [...tally]
          .map((one) => one.join(": "))
          .sort((a, b) => (a < b ? -1 : 1))
          .join("\n"),
      );
    expect((tally.get("unknown") ?? 0) / all).toBeLessThan(0.5);
    // Of a few pairs alone not every kind can be asked for.
    const wanted = runs < 200 ? ["same"] : ["newly admitted", "newly refused", "changed code", "same"];
    expect(wanted.filter((category) => !tally.has(category))).toEqual([]);
  },
);
