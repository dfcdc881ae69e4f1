/** What goes out of limits, read back by somebody else's strict parser of structured fields (RFC 9651). */
import { fc, test } from "@fast-check/vitest";
import { parseList } from "structured-headers";
import { expect, it } from "vitest";
import type { LimitSettings, RouteSettings } from "../../model/policy.js";
import type { HeaderField } from "../../model/request.js";
import { documentOf, open, worldOf, type World } from "./limit.test-support.js";

const limits: fc.Arbitrary<LimitSettings> = fc.oneof(
  fc.record({
    limit: fc.integer({ min: 1, max: 5 }),
    window: fc.constantFrom("500ms", "1s", "90s", "15m", "30d"),
  }),
  fc.record({
    algorithm: fc.constant("token-bucket" as const),
    limit: fc.integer({ min: 1, max: 7 }),
    window: fc.constantFrom("1s", "1m", "1h"),
    burst: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({
    algorithm: fc.constant("calendar" as const),
    limit: fc.integer({ min: 1, max: 3 }),
    window: fc.constantFrom("day", "month"),
    zone: fc.constantFrom("UTC", "America/New_York", "Pacific/Apia"),
  }),
  fc.record({ algorithm: fc.constant("concurrency" as const), limit: fc.integer({ min: 1, max: 3 }) }),
);
const names = fc.constantFrom("a", "per-ip", "9", "b-1");

function only(fields: readonly HeaderField[], name: string): string | undefined {
  const found = fields.filter(([one]) => one === name);
  expect(found.length).toBeLessThan(2);
  return found[0]?.[1];
}

type Item = readonly [name: unknown, parameters: ReadonlyMap<string, unknown>];

function itemsOf(text: string | undefined): readonly Item[] {
  return text === undefined ? [] : parseList(text);
}

interface Told {
  readonly policies: readonly Item[];
  readonly items: readonly Item[];
  readonly retryAfter: string | undefined;
}

/** One exchange that stays open, so that what counts in flight fills up too. */
async function ask(world: World): Promise<Told> {
  const decision = await open(world).head();
  if (decision.outcome === "continue") throw new Error("the route reads no body");
  const fields = decision.responseHeaders;
  return {
    policies: itemsOf(only(fields, "RateLimit-Policy")),
    items: itemsOf(only(fields, "RateLimit")),
    retryAfter: only(fields, "Retry-After"),
  };
}

test.prop(
  [
    fc.dictionary(names, limits, { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
    fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 8 }),
  ],
  { numRuns: 40 },
)("rate_limit_fields_are_structured_fields", async (document, pauses) => {
  const world = await worldOf(documentOf(document));
  for (const pause of pauses) {
    world.clock.advance(pause);
    const { policies, items, retryAfter } = await ask(world);
    expect(items.map(([name]) => name)).toEqual(Object.keys(document).toSorted());
    expect(policies.map(([name]) => name)).toEqual(items.map(([name]) => name));
    for (const [index, [name, parameters]] of items.entries()) {
      const terms = document[String(name)];
      const quota = policies[index]?.[1];
      expect(quota?.get("q")).toBe(terms?.limit);
      const seconds = quota?.get("w");
      expect(seconds === undefined || (Number.isInteger(seconds) && Number(seconds) > 0)).toBe(true);
      const left = parameters.get("r");
      expect(Number.isInteger(left) && Number(left) >= 0).toBe(true);
      expect([...parameters.keys()].filter((key) => key !== "r" && key !== "t")).toEqual([]);
      const wait = parameters.get("t") ?? 1;
      expect(Number.isInteger(wait) && Number(wait) >= 1).toBe(true);
    }
    expect(retryAfter ?? "1").toMatch(/^[1-9][0-9]*$/);
  }
});

test.prop([limits, fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 2, maxLength: 8 })], {
  numRuns: 60,
})("whoever_comes_back_as_told_is_let_in", async (limit, pauses) => {
  const world = await worldOf(documentOf({ one: { ...limit, ...lease(limit) } }));
  for (const pause of pauses) {
    world.clock.advance(pause);
    const { items, retryAfter } = await ask(world);
    if (retryAfter === undefined) continue;
    const [, parameters] = items[0] ?? ["", new Map()];
    expect([parameters.get("r"), Number(retryAfter) >= Number(parameters.get("t"))]).toEqual([0, true]);
    world.clock.advance(Number(retryAfter) * 1000);
    expect((await ask(world)).retryAfter).toBe(undefined);
  }
});

/** Nobody renews under a clock that does not tick. */
function lease({ algorithm }: LimitSettings): Pick<LimitSettings, "lease"> {
  return algorithm === "concurrency" ? { lease: "5s" } : {};
}

const ONE: LimitSettings = { limit: 1, window: "10s" };
const TYPED: RouteSettings = {
  request: { headers: { "x-plan": { type: "string" }, "x-cost": { type: "integer" } } },
};

it.each<[what: string, limit: LimitSettings, exposed: string | undefined]>([
  ["counts callers", ONE, "RateLimit, RateLimit-Policy, Retry-After"],
  ["is hidden", { ...ONE, reveal: false }, "Retry-After"],
  ["counts some outcomes", { ...ONE, count: [200] }, "Retry-After"],
  ["counts by a header", { ...ONE, by: "headers.x-plan" }, "Retry-After"],
  ["asks a header for its condition", { ...ONE, when: "headers['x-plan'] == 'a'" }, "Retry-After"],
  ["asks a header for its cost", { ...ONE, cost: "headers['x-cost']" }, "Retry-After"],
  [
    "is shown all the same",
    { ...ONE, when: "headers['x-plan'] == 'a'", reveal: true },
    "RateLimit, RateLimit-Policy, Retry-After",
  ],
  ["observes", { ...ONE, mode: "observe" }, undefined],
])("a page may read what goes out of a limit that %s", async (_what, limit, exposed) => {
  const world = await worldOf(
    documentOf(
      { one: limit },
      { ...TYPED, errors: { correlation: false } as never },
      {
        cors: { origins: ["https://a.test"] },
      },
    ),
  );
  const ask = async (): Promise<Map<string, string>> => {
    const decision = await world.engine.evaluate({
      method: "GET",
      target: "/x/1",
      headers: [
        ["Host", "a.test"],
        ["Origin", "https://a.test"],
        ["X-Plan", "a"],
        ["X-Cost", "1"],
      ],
      remoteAddress: "127.0.0.1",
    });
    return new Map(decision.responseHeaders);
  };
  const [first, second] = [await ask(), await ask()];
  const sent = ["RateLimit", "RateLimit-Policy", "Retry-After"].filter(
    (name) => first.has(name) || second.has(name),
  );
  expect(sent.join(", ")).toBe(exposed ?? "");
  expect(first.get("Access-Control-Expose-Headers")).toBe(exposed);
});

it.each([2, 1, 899, 900, 901, 3600])("a limit that is whole again in %i s says so", async (seconds) => {
  const document = documentOf({ few: { algorithm: "token-bucket", limit: 1, window: `${seconds}s` } });
  const decision = await open(await worldOf(document)).head();
  if (decision.outcome !== "admit") throw new Error(decision.outcome);
  expect(only(decision.responseHeaders, "RateLimit")).toBe(`"few";r=0;t=${seconds}`);
});

it("limits of one answer are told in the order of their names", async () => {
  const each = { algorithm: "token-bucket", limit: 1, window: "2s" } as const;
  const decision = await open(await worldOf(documentOf({ c: each, a: each, b: each }))).head();
  if (decision.outcome !== "admit") throw new Error(decision.outcome);
  const told = decision.responseHeaders;
  expect(only(told, "RateLimit")).toBe('"a";r=0;t=2, "b";r=0;t=2, "c";r=0;t=2');
  expect(only(told, "RateLimit-Policy")).toBe('"a";q=1;w=2, "b";q=1;w=2, "c";q=1;w=2');
});
