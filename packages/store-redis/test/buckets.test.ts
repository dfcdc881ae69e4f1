/** Token buckets by their own script and by the one for all kinds: the same answers, and the same left on the server. */
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { areBuckets, bucketValues, readBuckets, type Bucket } from "../src/buckets.js";
import { TAKE_BUCKETS } from "../src/scripts/buckets.js";
import { TAKE } from "../src/scripts/take.js";
import { keysOf, pushOp, readTake, type Heard } from "../src/wire.js";
import { describeEngines, Server } from "./server.test-support.js";

const runs = Number(process.env["GATEHOUSE_RUNS"] ?? 60);
const START_US = 1_790_000_000_000_000;

const emissionUs = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 86_400_000_000 }));
const op = fc.record({
  emissionUs,
  burst: fc.integer({ min: 1, max: 20 }),
  cost: fc.integer({ min: 0, max: 22 }),
});
const step = fc.record({
  ops: fc.dictionary(fc.constantFrom("a", "b", "c", "d"), op, { minKeys: 1 }),
  afterUs: fc.oneof(
    fc.constant(0),
    fc.integer({ min: -5, max: 100 }),
    fc.integer({ min: 0, max: 100_000_000_000 }),
  ),
});

describeEngines("token buckets", (engine) => {
  let server: Server;
  let client: Redis;
  let prefixes = 0;
  beforeAll(async () => {
    server = await Server.start(engine);
    client = new Redis(server.port, "127.0.0.1");
  });
  afterAll(async () => {
    client.disconnect();
    await server.stop();
  });

  async function byTheirOwn(prefix: string, now: string, ops: readonly Bucket[]): Promise<Heard> {
    const reply = await client.eval(
      TAKE_BUCKETS.text,
      ops.length,
      ...keysOf(prefix, ops),
      ...bucketValues(now, ops),
    );
    return readBuckets(reply, ops);
  }

  async function byTheOneForAll(prefix: string, now: string, ops: readonly Bucket[]): Promise<Heard> {
    const values = [now, "t", String(ops.length)];
    for (const one of ops) pushOp(values, one);
    const reply = await client.eval(TAKE.text, ops.length, ...keysOf(prefix, ops), ...values);
    return readTake(reply, ops.length);
  }

  async function left(keys: readonly string[]): Promise<{ values: unknown; ms: number[] }> {
    return {
      values: await client.mgetBuffer(...keys),
      ms: await Promise.all(keys.map((key) => client.pttl(key))),
    };
  }

  it("are taken as by the script for limits of every kind", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const [own, all] = [`own${++prefixes}:`, `all${prefixes}:`];
        let nowUs = START_US;
        for (const { ops: wanted, afterUs } of steps) {
          nowUs += afterUs;
          const ops = Object.entries(wanted).map(([key, numbers]): Bucket => ({
            kind: "gcra",
            key,
            ...numbers,
          }));
          const [heard, expected] = [
            await byTheirOwn(own, String(nowUs), ops),
            await byTheOneForAll(all, String(nowUs), ops),
          ];
          const { allowed, per } = heard;
          expect({ allowed, nowUs: heard.nowUs, per }).toEqual({
            allowed: expected.allowed,
            nowUs: expected.nowUs,
            per: expected.per,
          });
          const [mine, theirs] = await Promise.all([left(keysOf(own, ops)), left(keysOf(all, ops))]);
          expect(mine.values).toEqual(theirs.values);
          for (const [index, ms] of mine.ms.entries()) {
            expect(Math.abs(ms - (theirs.ms[index] ?? 0))).toBeLessThan(2000);
          }
        }
      }),
      { numRuns: runs },
    );
  });
});

describe("what is no answer of the script's", () => {
  const ops: readonly Bucket[] = [
    { kind: "gcra", key: "a", emissionUs: 10, burst: 2, cost: 1 },
    { kind: "gcra", key: "b", emissionUs: 10, burst: 1, cost: 1 },
  ];

  it("is told from one that is", () => {
    expect(readBuckets([1, 5, 10, 0], ops)).toMatchObject({
      allowed: true,
      nowUs: 5,
      per: [
        { allowed: true, remaining: 0, resetUs: 20, retryUs: 0 },
        { allowed: true, remaining: 0, resetUs: 10, retryUs: 0 },
      ],
    });
  });

  it.each([
    ["nothing", null],
    ["a text", "10000"],
    ["too few", [1, 5, 10]],
    ["too many", [1, 5, 10, 0, 0]],
    ["no number", [1, 5, "10", 0]],
    ["no whole number", [1, 5, 10.5, 0]],
    ["a level below nothing", [1, 5, -10, 0]],
    ["no instant", [1, "5", 10, 0]],
    ["allowed what does not fit", [1, 5, 10, 1]],
    ["refused what fits", [0, 5, 10, 0]],
    ["neither", [2, 5, 10, 0]],
  ])("%s", (_what, reply) => {
    expect(() => readBuckets(reply, ops)).toThrow("no answer that can be read");
  });

  it("a limit with a penalty, of another kind, or whose times are not whole or too long to be printed, is none that the script is for", () => {
    const penalty = { after: 1, blockUs: 1, factor: 1, maxUs: 1 };
    expect(areBuckets(ops)).toBe(true);
    expect(areBuckets([...ops, { kind: "gcra", key: "c", emissionUs: 1, burst: 1, cost: 1, penalty }])).toBe(
      false,
    );
    expect(areBuckets([...ops, { kind: "block", key: "c" }])).toBe(false);
    for (const [emissionUs, burst, cost] of [
      [0.5, 3, 2],
      [0.5, 2, 1],
      [1, 1, 0.5],
      [2_000_000, 1_000_000, 1],
      [2 ** 40, 2 ** 20, 1],
    ] as const)
      expect(areBuckets([{ kind: "gcra", key: "c", emissionUs, burst, cost }])).toBe(false);
  });
});
