/** The model of `shed` beside the engine: what is in flight is held open, and how late the event loop is, is said. */
import { checkPolicy, createEngine, type Engine, type Exchange, type PolicyDocument } from "@gatehouse/core";
import { virtualClock } from "@gatehouse/core/conformance";
import fc from "fast-check";
import { expect, it } from "vitest";
import { documentOf, ROUTES, ShedModel, TARGET_MS, type Path, type ShedPolicy } from "./shed.js";

const runs = Number(process.env["GATEHOUSE_MODEL_RUNS"] ?? 300);
const PATHS = Object.keys(ROUTES) as readonly Path[];

type Act =
  | { readonly act: "open"; readonly path: Path }
  /** The request that was opened so many before ends. */
  | { readonly act: "end"; readonly nth: number }
  | { readonly act: "late" }
  | { readonly act: "turn" };

const policies: fc.Arbitrary<ShedPolicy> = fc.record({
  signal: fc.constantFrom("concurrency", "event-loop"),
  mode: fc.constantFrom("enforce", "enforce", "enforce", "observe"),
  limit: fc.integer({ min: 1, max: 7 }),
  // Exact in binary: what a decimal share rounds to is another test's.
  shares: fc.record(
    { pay: fc.constantFrom(0.25, 0.5), default: fc.constantFrom(0.25, 0.5) },
    { requiredKeys: [] },
  ),
});

/** Not more than a tenth of a second of virtual time in one turn. */
const acts: fc.Arbitrary<readonly Act[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ act: fc.constant<"open">("open"), path: fc.constantFrom(...PATHS) }),
    },
    { weight: 2, arbitrary: fc.record({ act: fc.constant<"end">("end"), nth: fc.nat(8) }) },
    { weight: 1, arbitrary: fc.constant<Act>({ act: "late" }) },
    { weight: 1, arbitrary: fc.constant<Act>({ act: "turn" }) },
  ),
  { minLength: 12, maxLength: 40, size: "max" },
);

async function opened(
  engine: Engine,
  path: Path,
): Promise<{ readonly exchange: Exchange; readonly said: string }> {
  const request = { method: "GET", target: path, headers: [["Host", "a.test"]] as const };
  const exchange = engine.open({ ...request, remoteAddress: "203.0.113.1", encrypted: false });
  const decision = await exchange.head();
  if (decision.outcome === "admit") return { exchange, said: "in" };
  if (decision.outcome !== "refuse") return { exchange, said: decision.outcome };
  const wait = decision.responseHeaders.find(([name]) => name === "Retry-After")?.[1] ?? "";
  const { stage, status, code } = decision;
  exchange.end(status);
  return { exchange, said: /^[12]$/u.test(wait) ? `${stage} ${status} ${code}` : `Retry-After ${wait}` };
}

it("the model of `shed` agrees with the engine", { timeout: 240_000 }, async () => {
  const seen = { in: 0, out: 0 };
  await fc.assert(
    fc.asyncProperty(policies, acts, async (policy, steps) => {
      const document = documentOf(policy) as PolicyDocument;
      fc.pre(checkPolicy(document).every(({ severity }) => severity !== "error"));
      const clock = virtualClock(Date.UTC(2026, 5, 1));
      // Not twice the target: how admissions are cut over several turns has simulations of its own.
      const loop = { delay: 0 };
      const engine = await createEngine(document, { clock, eventLoopDelay: () => loop.delay });
      const model = new ShedModel(policy);
      let held: { readonly exchange: Exchange; readonly path: Path }[] = [];
      try {
        for (const step of steps) {
          switch (step.act) {
            case "open": {
              const { path } = step;
              const expected = model.open(path) ? "in" : "shed 503 overloaded";
              const { exchange, said } = await opened(engine, path);
              expect({ path, said }).toEqual({ path, said: expected });
              seen[said === "in" ? "in" : "out"] += 1;
              if (said === "in") held.push({ exchange, path });
              break;
            }
            case "end": {
              const ending = held.at(-1 - step.nth);
              if (ending === undefined) break;
              held = held.filter((one) => one !== ending);
              ending.exchange.end(200);
              model.end(ending.path);
              break;
            }
            case "late":
              loop.delay = TARGET_MS * 1.4;
              // It is looked at every 10 ms.
              clock.advance(10);
              model.late();
              break;
            case "turn":
              loop.delay = 0;
              clock.advance(1_000);
              model.nextTurn();
              break;
          }
        }
      } finally {
        for (const { exchange } of held) exchange.end(200);
        await engine.close();
      }
    }),
    { numRuns: runs },
  );
  // Both are common, or nothing was compared.
  expect(seen.out).toBeGreaterThan(runs);
  expect(seen.in).toBeGreaterThan(runs);
});
