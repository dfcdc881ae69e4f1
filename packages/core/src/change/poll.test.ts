/** A policy that is polled from a real server. */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  createEngine,
  pollPolicy,
  Secret,
  type Engine,
  type PolicyFollower,
  type PollOptions,
} from "../index.js";
import { keepBundle, policyTests, signBundle } from "../node/index.js";
import { pairOf, policyOf, testsOf, Told } from "./change.test-support.js";

const pair = pairOf("2026");
const bundle = { keys: [pair.pinned] };
const ended: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server whose answer a test changes, and what it was asked. */
class Source {
  answer: Answer = (_, response) => void response.writeHead(404).end();
  readonly asked: IncomingMessage["headers"][] = [];
  #server: Server | undefined;

  async start(): Promise<string> {
    const server = createServer((request, response) => {
      this.asked.push(request.headers);
      this.answer(request, response);
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    ended.push(() => this.stop());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/policy?key=c4n4ry`;
  }

  stop(): Promise<void> {
    this.#server?.closeAllConnections();
    return new Promise((resolve) => this.#server?.close(() => resolve()));
  }

  /** With an `ETag` of its own, and 304 for who has it. */
  has(text: string, etag = `"${createHash("sha256").update(text).digest("hex")}"`): void {
    this.answer = (request, response) => {
      if (request.headers["if-none-match"] === etag) response.writeHead(304, { ETag: etag }).end();
      else response.writeHead(200, { ETag: etag }).end(text);
    };
  }
}

async function serve(name = "served"): Promise<Engine> {
  const engine = await createEngine(policyOf("start", name));
  ended.push(() => engine.close());
  return engine;
}

async function poll(
  engine: Engine,
  url: string,
  told: Told,
  options: PollOptions = {},
): Promise<PolicyFollower> {
  const { onChange, onProblem } = told;
  const follower = await pollPolicy(engine, url, { interval: "1h", onChange, onProblem, ...options });
  ended.push(() => follower.close());
  await follower.ready;
  return follower;
}

async function lets(engine: Engine, route: string): Promise<boolean> {
  const decision = await engine.evaluate({
    method: "GET",
    target: `/${route}`,
    headers: [["Host", "a.test"]],
  });
  return decision.outcome === "admit";
}

const signed = (revision: number, route: string, tests?: readonly object[]): Promise<string> =>
  signBundle({ revision, policy: policyOf(route), ...(tests !== undefined && { tests }) }, [pair.signing]);

describe("a policy that is polled", () => {
  it("is put in force, and asked for again by its ETag", async () => {
    const [source, told, engine] = [new Source(), new Told(), await serve()];
    source.has(JSON.stringify(policyOf("a")));
    const before = engine.revision;
    const follower = await poll(engine, await source.start(), told);
    expect(await lets(engine, "a")).toBe(true);
    expect(told.changes).toEqual([
      { revision: engine.revision, previous: before, bundle: undefined, from: "source" },
    ]);
    expect(follower.status).toMatchObject({
      state: "current",
      revision: engine.revision,
      problem: undefined,
    });
    await follower.check();
    expect(source.asked.map((headers) => headers["if-none-match"])).toEqual([
      undefined,
      expect.stringMatching(/^".*"$/u),
    ]);
    source.has(JSON.stringify(policyOf("b")));
    await follower.check();
    expect([await lets(engine, "a"), await lets(engine, "b")]).toEqual([false, true]);
    expect(told.changes).toHaveLength(2);
    expect(told.problems).toEqual([]);
  });

  it.each([
    [{}, 0, 48_000],
    [{}, 0.5, 60_000],
    [{ jitter: 0.5 }, 1, 90_000],
    [{ jitter: 0 }, 0, 60_000],
  ])("is asked for at moments that a fleet does not share: %j, chance %d", async (options, chance, waits) => {
    const [source, told, engine] = [new Source(), new Told(), await serve()];
    source.has(JSON.stringify(policyOf("a")));
    const random = vi.spyOn(Math, "random").mockReturnValue(chance);
    const timers = vi.spyOn(globalThis, "setTimeout");
    try {
      await poll(engine, await source.start(), told, { interval: "1m", ...options });
      expect(timers.mock.calls.map(([, delay]) => delay)).toContain(waits);
    } finally {
      random.mockRestore();
      timers.mockRestore();
    }
  });

  it("is asked for by itself, and after a failure too", async () => {
    const [source, told, engine] = [new Source(), new Told(), await serve()];
    await poll(engine, await source.start(), told, { interval: "1s", jitter: 0.9 });
    expect(told.problems).toHaveLength(1);
    source.has(JSON.stringify(policyOf("a")));
    await told.until(() => told.changes.length === 1);
    expect(await lets(engine, "a")).toBe(true);
  });

  it.each<[string, Answer, RegExp, Partial<PollOptions>?]>([
    [
      "is not there",
      (_, response) => void response.writeHead(404).end("x"),
      /`http:\/\/127\.0\.0\.1:\d+\/policy` answered with 404$/u,
    ],
    [
      "says that nothing has changed, unasked",
      (_, response) => void response.writeHead(304).end(),
      /answered with 304$/u,
    ],
    [
      "is elsewhere",
      (_, response) => void response.writeHead(302, { Location: "/other" }).end(),
      /redirect, which is not followed$/u,
    ],
    [
      "is too large",
      (_, response) => void response.end("x".repeat(2000)),
      /more than 1000 bytes$/u,
      { maxBytes: 1000 },
    ],
    ["does not come", () => undefined, /took longer than 50 ms$/u, { deadline: "50ms" }],
    [
      "is cut off",
      (_, response) =>
        void response.writeHead(200, { "Content-Length": "9" }).write("{", () => response.destroy()),
      /cannot be reached/u,
    ],
    ["is no text", (_, response) => void response.end(Buffer.from([0xff])), /no UTF-8 text$/u],
  ])("stays as it is where the answer %s", async (_name, answer, message, options = {}) => {
    const [source, told, engine] = [new Source(), new Told(), await serve()];
    source.answer = answer;
    const follower = await poll(engine, await source.start(), told, options);
    expect(told.problems).toEqual([
      { reason: "unreachable", message: expect.stringMatching(message) as string, from: "source" },
    ]);
    expect(JSON.stringify([told.problems, follower.status])).not.toContain("c4n4ry");
    expect(follower.status).toMatchObject({ state: "failing", problem: told.problems[0] });
    const reason = `the policy at its source is not in force: ${told.problems[0]?.reason ?? ""}`;
    expect(engine.health()).toMatchObject({ added: { poll: { status: "degraded", reason } } });
    expect(await lets(engine, "start")).toBe(true);
    // The same again is no news.
    await follower.check();
    expect(told.problems).toHaveLength(1);
    source.has(JSON.stringify(policyOf("a")));
    await follower.check();
    expect(follower.status.state).toBe("current");
    expect(engine.health().added).toEqual({ poll: { status: "ok" } });
    expect(await lets(engine, "a")).toBe(true);
    follower.close();
    expect(engine.health().added).toEqual({});
  });

  it("stays as it is where what comes cannot be served, and is asked for in full again", async () => {
    const [source, told, engine] = [new Source(), new Told(), await serve()];
    source.has('{"gatehouse":1,"name":"served","routes":{"GET /a":{}}}', '"same"');
    const follower = await poll(engine, await source.start(), told);
    expect(told.problems[0]).toMatchObject({ reason: "refused" });
    expect(told.problems[0]?.diagnostics?.[0]).toMatchObject({ pointer: "/routes/GET ~1a" });
    source.has('{"gatehouse":1,', '"same"');
    await follower.check();
    expect(told.problems[1]).toMatchObject({ reason: "malformed" });
    source.has(JSON.stringify(policyOf("a")), '"same"');
    await follower.check();
    expect(await lets(engine, "a")).toBe(true);
  });

  it("is asked for with what it takes, and a secret stays one", async () => {
    const [source, told, engine] = [new Source(), new Told(), await serve()];
    source.has(JSON.stringify(policyOf("a")));
    const headers = async (): Promise<Record<string, string | Secret>> =>
      Promise.resolve({ Authorization: Secret.of("Bearer c4n4ry"), "X-Fleet": "7" });
    await poll(engine, await source.start(), told, { headers });
    expect(source.asked[0]).toMatchObject({ authorization: "Bearer c4n4ry", "x-fleet": "7" });
    const failing = await poll(engine, "http://127.0.0.1:1/", new Told(), {
      headers: () => {
        throw new Error("c4n4ry");
      },
    });
    expect(failing.status.problem).toEqual({
      reason: "unreachable",
      message: "the policy could not be asked for",
      from: "source",
    });
  });

  it("does not wait for ever for what it is asked for with", async () => {
    const engine = await serve();
    const headers = (): Promise<never> => new Promise(() => undefined);
    const failing = await poll(engine, "http://127.0.0.1:1/", new Told(), { headers, deadline: "1ms" });
    expect(failing.status.problem).toEqual({
      reason: "unreachable",
      message: "the `headers` of `pollPolicy` were not there in time",
      from: "source",
    });
  });

  it("is not put in force any more once it is closed", async () => {
    const [source, told, engine] = [new Source(), new Told(), await serve()];
    const url = await source.start();
    let answerNow: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      source.answer = (_, response) => {
        answerNow = () => void response.end(JSON.stringify(policyOf("a")));
        resolve();
      };
    });
    const { onChange, onProblem } = told;
    const follower = await pollPolicy(engine, url, { onChange, onProblem });
    await asked;
    follower.close();
    answerNow();
    await follower.ready;
    await follower.check();
    expect(follower.status.state).toBe("closed");
    expect([told.changes, told.problems, source.asked.length]).toEqual([[], [], 1]);
    expect(await lets(engine, "start")).toBe(true);
  });

  it.each<[string, string, unknown]>([
    ["`http://policies.test/`", "http://policies.test/", {}],
    ["a URL with a password", "https://a:b@policies.test/", {}],
    ["no URL", "policies", {}],
    ["an unknown option", "https://policies.test/", { intervall: "1m" }],
    ["a short interval", "https://policies.test/", { interval: "10ms" }],
    ["jitter beyond all", "https://policies.test/", { jitter: 1 }],
    ["what is kept and not signed", "https://policies.test/", { keep: keepBundle("/nowhere") }],
  ])("is not begun with %s", async (_name, url, options) => {
    const engine = await serve();
    await expect(pollPolicy(engine, url, options as PollOptions)).rejects.toThrow(TypeError);
  });
});

describe("bundles that are polled", () => {
  it("go up, and never down", async () => {
    const [source, told, engine] = [new Source(), new Told(), await serve()];
    source.has(await signed(5, "a"));
    const follower = await poll(engine, await source.start(), told, { bundle });
    expect(told.changes.at(-1)).toMatchObject({ bundle: 5 });
    source.has(await signed(4, "b"));
    await follower.check();
    expect(told.problems.at(-1)).toMatchObject({
      reason: "rolled-back",
      message: "the bundle has number 4, and number 5 was in force",
    });
    source.has(await signed(5, "b"));
    await follower.check();
    expect(told.problems.at(-1)).toMatchObject({
      reason: "rolled-back",
      message: "another bundle of number 5 was in force",
    });
    expect(await lets(engine, "a")).toBe(true);
    source.has(await signed(6, "b"));
    await follower.check();
    expect(await lets(engine, "b")).toBe(true);
    expect(follower.status).toMatchObject({ state: "current", bundle: 6 });
  });

  it("of nobody, of somebody else, for another policy, or no bundle at all are refused", async () => {
    const [source, told, engine] = [new Source(), new Told(), await serve()];
    const url = await source.start();
    const follower = await poll(engine, url, told, { bundle });
    const other = pairOf("2026");
    const reasons: unknown[] = [];
    for (const text of [
      await signBundle({ revision: 9, policy: policyOf("a") }, [other.signing]),
      await signBundle({ revision: 9, policy: policyOf("a", "another") }, [pair.signing]),
      (await signed(9, "a")).replace("GET /a", "GET /b"),
      JSON.stringify(policyOf("a")),
    ]) {
      source.has(text);
      await follower.check();
      reasons.push(told.problems.at(-1)?.reason);
    }
    expect(reasons).toEqual(["untrusted", "untrusted", "untrusted", "malformed"]);
    expect(await lets(engine, "start")).toBe(true);
  });

  it("run their own tests first, and are refused where nothing can run them", async () => {
    const [source, told, engine] = [new Source(), new Told(), await serve()];
    source.has(await signed(5, "a", [testsOf("a"), testsOf("b")]));
    const url = await source.start();
    const follower = await poll(engine, url, told, { bundle, runTests: policyTests });
    expect(told.problems).toEqual([{ reason: "tests-failed", message: "/b is open", from: "source" }]);
    expect(await lets(engine, "start")).toBe(true);
    source.has(await signed(6, "a", [{ tests: 1 }]));
    await follower.check();
    expect(told.problems.at(-1)?.message).toMatch(/^the tests cannot be run: /u);
    source.has(await signed(7, "a", [testsOf("a")]));
    await follower.check();
    expect(await lets(engine, "a")).toBe(true);
    const without = await serve();
    const deaf = new Told();
    await poll(without, url, deaf, { bundle });
    expect(deaf.problems[0]).toMatchObject({ reason: "tests-failed" });
    expect(await lets(without, "start")).toBe(true);
  });

  it("are kept for the next start, verified again, and nothing older comes after them", async () => {
    const folder = mkdtempSync(join(tmpdir(), "gatehouse-kept-"));
    ended.push(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "policy.bundle");
    const [source, told] = [new Source(), new Told()];
    source.has(await signed(5, "a"));
    const url = await source.start();
    const first = await poll(await serve(), url, told, { bundle, keep: keepBundle(file) });
    expect(first.status.bundle).toBe(5);
    first.close();
    // The next start, with the source away.
    await source.stop();
    const again = new Told();
    const engine = await serve();
    const follower = await poll(engine, url, again, { bundle, keep: keepBundle(file) });
    expect(again.changes).toEqual([expect.objectContaining({ bundle: 5, from: "kept" })]);
    expect(again.problems).toEqual([expect.objectContaining({ reason: "unreachable" })]);
    expect(await lets(engine, "a")).toBe(true);
    follower.close();
    // The source is back, with an older one.
    const older = new Source();
    older.has(await signed(4, "b"));
    const third = new Told();
    const last = await serve();
    await poll(last, await older.start(), third, { bundle, keep: keepBundle(file) });
    expect(third.problems).toEqual([expect.objectContaining({ reason: "rolled-back" })]);
    expect(await lets(last, "a")).toBe(true);
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ payload: { revision: 5 } });
  });

  it("that were tampered with on the disk are not believed", async () => {
    const folder = mkdtempSync(join(tmpdir(), "gatehouse-kept-"));
    ended.push(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "policy.bundle");
    writeFileSync(file, (await signed(5, "a")).replace("GET /a", "GET /b"));
    const [source, told, engine] = [new Source(), new Told(), await serve()];
    source.has(await signed(1, "c"));
    await poll(engine, await source.start(), told, { bundle, keep: keepBundle(file) });
    expect(told.problems).toEqual([expect.objectContaining({ reason: "untrusted", from: "kept" })]);
    expect(await lets(engine, "c")).toBe(true);
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ payload: { revision: 1 } });
  });

  it("that cannot be kept are in force all the same, and it is told", async () => {
    const [source, told, engine] = [new Source(), new Told(), await serve()];
    source.has(await signed(5, "a"));
    const keep = keepBundle("/dev/null/nowhere");
    await poll(engine, await source.start(), told, { bundle, keep });
    expect(told.problems.map(({ reason }) => reason)).toEqual(["unreadable", "not-kept"]);
    expect(await lets(engine, "a")).toBe(true);
  });

  it("are kept with a later look where they could not be at first, told once", async () => {
    const [source, told, engine] = [new Source(), new Told(), await serve()];
    const text = await signed(5, "a");
    source.has(text);
    const saved: string[] = [];
    let full = true;
    const keep = {
      load: () => Promise.resolve(undefined),
      save: async (given: string) => {
        if (full) throw new Error("no space");
        saved.push(given);
      },
    };
    const follower = await poll(engine, await source.start(), told, { bundle, keep });
    await follower.check();
    expect([told.problems.map(({ reason }) => reason), saved]).toEqual([["not-kept"], []]);
    full = false;
    await follower.check();
    await follower.check();
    expect([told.problems.length, saved]).toEqual([1, [text]]);
  });
});
