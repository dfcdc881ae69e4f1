/** `order_never_matters` and `default_is_deny`, on the model's generated policies and requests. */
import { checkPolicy, createEngine, type Engine, type PolicyDocument } from "@gatehouse/core";
import { virtualClock } from "@gatehouse/core/conformance";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { histories, policies, type ModelStep } from "../model/arbitrary.js";
import { rawRequest } from "../model/raw.js";
import { documentOf } from "../model/policy.js";
import { find, NOW, SECRET } from "../model/world.js";
import { through } from "./support.js";

const runs = Number(process.env["GATEHOUSE_PROPERTY_RUNS"] ?? 60);

function usable(document: unknown): document is PolicyDocument {
  return checkPolicy(document).every(({ severity }) => severity !== "error");
}

/** The same document with the members of every object in another order; lists keep theirs. */
function shuffled(value: unknown, turn: (length: number) => number): unknown {
  if (Array.isArray(value)) return value.map((item) => shuffled(item, turn));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const start = entries.length === 0 ? 0 : turn(entries.length);
  const turned = [...entries.slice(start), ...entries.slice(0, start)];
  if (turn(2) === 1) turned.reverse();
  return Object.fromEntries(turned.map(([key, inner]) => [key, shuffled(inner, turn)]));
}

async function outcomes(document: PolicyDocument, steps: readonly ModelStep[]): Promise<unknown[]> {
  const clock = virtualClock(NOW);
  const engine: Engine = await createEngine(document, {
    clock,
    secrets: { get: () => SECRET },
    lookups: { find },
  });
  const seen: unknown[] = [];
  for (const { request, wait } of steps) {
    clock.advance(wait);
    const { decision, shaped } = await through(engine, rawRequest(request));
    seen.push([
      decision.outcome,
      decision.route,
      decision.outcome === "refuse" ? [decision.stage, decision.code, decision.status] : null,
      shaped?.status,
    ]);
  }
  await engine.close();
  return seen;
}

describe("properties of the language", () => {
  it("order_never_matters", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        policies,
        histories,
        fc.infiniteStream(fc.nat(1000)),
        async (policy, steps, stream) => {
          const document = documentOf(policy);
          fc.pre(usable(document));
          const turn = (length: number): number => (stream.next().value ?? 0) % length;
          const other = shuffled(document, turn);
          expect(usable(other)).toBe(true);
          expect(await outcomes(other as PolicyDocument, steps)).toEqual(await outcomes(document, steps));
        },
      ),
      { numRuns: runs },
    );
  });

  it("default_is_deny: what no route names is refused", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(policies, histories, async (policy, steps) => {
        const document = documentOf({ ...policy, mode: "enforce" });
        fc.pre(usable(document));
        const engine = await createEngine(document, { secrets: { get: () => SECRET }, lookups: { find } });
        for (const { request } of steps) {
          if (typeof request.target === "string") continue;
          const elsewhere = rawRequest({ ...request, target: ["nowhere", ...request.target] });
          const named = policy.routes.some(({ path }) => path[0] === ":x" || path[0] === "*");
          if (named) continue;
          const { decision } = await through(engine, elsewhere);
          expect(decision.outcome).toBe("refuse");
        }
        await engine.close();
      }),
      { numRuns: runs },
    );
  });

  it("default_is_deny: a policy without routes admits nothing", async () => {
    const engine = await createEngine({
      gatehouse: 1,
      name: "empty",
      transport: { https: "off" },
      routes: {},
    });
    for (const method of ["GET", "HEAD", "POST", "OPTIONS", "TRACE", "PROPFIND"]) {
      const { decision } = await through(engine, { method, target: "/", headers: [["Host", "a.test"]] });
      expect(decision.outcome).toBe("refuse");
    }
  });
});
