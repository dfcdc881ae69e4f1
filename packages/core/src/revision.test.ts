/** When the revision of a policy is worked out: it costs what the document is long. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createEngine, type DecisionEvent, type EngineOptions, type PolicyDocument } from "./index.js";

const POLICY: PolicyDocument = {
  gatehouse: 1,
  name: "spelled-out-for-its-hash-alone",
  transport: { https: "off" },
  routes: { "GET /open": { authenticate: "none" } },
};

beforeEach(() => void vi.spyOn(JSON, "stringify"));
afterEach(() => vi.restoreAllMocks());

/** The canonical form of a document spells its name out once. */
const spelledOut = (): number =>
  vi.mocked(JSON.stringify).mock.calls.filter(([value]) => value === POLICY.name).length;

const ask = async (options: EngineOptions) => {
  const engine = await createEngine(POLICY, options);
  const atStart = spelledOut();
  await engine.evaluate({ method: "GET", target: "/open", headers: [["Host", "a.test"]] });
  return { engine, atStart };
};

describe("the revision", () => {
  it("is worked out by no start and no request where nobody listens, and once for who asks", async () => {
    const { engine } = await ask({});
    expect(spelledOut()).toBe(0);
    expect(engine.revision).toMatch(/^[0-9a-f]{64}$/u);
    expect(engine.health().policy.revision).toBe(engine.revision);
    expect(spelledOut()).toBe(1);
  });

  it.each<readonly [string, (heard: (event: DecisionEvent) => void) => EngineOptions]>([
    ["a listener", (heard) => ({ onDecision: heard })],
    ["a sink", (heard) => ({ sinks: [{ write: heard }] })],
  ])("is worked out at the start, and not by the first request, for %s", async (_who, optionsFor) => {
    const revisions: string[] = [];
    const { engine, atStart } = await ask(optionsFor(({ revision }) => revisions.push(revision)));
    expect(revisions).toEqual([engine.revision]);
    expect([atStart, spelledOut()]).toEqual([1, 1]);
  });
});
