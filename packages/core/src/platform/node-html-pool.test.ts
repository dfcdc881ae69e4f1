import { afterEach, describe, expect, it } from "vitest";
import type { HtmlBounds } from "../ports/html-sanitizer.js";
import { HtmlPool, type HtmlPoolSettings } from "./node-html-pool.js";

const BOUNDS: HtmlBounds = { maxLength: 1, maxDepth: 1, maxNodes: 1 };

/** A worker that does what the text says. */
const OBEDIENT = `
  const { parentPort } = require("node:worker_threads");
  parentPort.on("message", ({ id, texts }) => {
    const [{ html }] = texts;
    if (html === "exit") process.exit(3);
    if (html === "throw") throw new Error("CANARY");
    if (html === "memory") { const all = []; for (;;) all.push(new Array(1e6).fill(id)); }
    if (html === "hang") for (;;) {}
    if (html === "silent") return;
    parentPort.postMessage({ id, result: { kind: "clean", texts: [html + "!"] } });
  });
  parentPort.postMessage({ id: 0, result: { kind: "clean", texts: [] } });
`;

let pool: HtmlPool;
afterEach(() => pool.close());

function open(settings: Partial<HtmlPoolSettings> = {}): (html: string) => Promise<unknown> {
  pool = new HtmlPool({
    source: OBEDIENT,
    from: import.meta.url,
    workers: 1,
    waiting: 4,
    startMs: 20_000,
    waitMs: 20_000,
    jobMs: 20_000,
    ...settings,
  });
  return (html) =>
    pool
      .run([{ html, profiles: [] }], BOUNDS)
      .then((result) => result.kind === "clean" && result.texts[0], String);
}

describe("a pool of workers", () => {
  it("answers each with its own", async () => {
    const run = open({ workers: 2, waiting: 100 });
    const asked = Array.from({ length: 20 }, (_, index) => String(index));
    expect(await Promise.all(asked.map(run))).toEqual(asked.map((text) => `${text}!`));
  });

  it("starts more workers for what waits, as many as it may", async () => {
    const threads = OBEDIENT.replace('html + "!"', 'String(require("node:worker_threads").threadId)').replace(
      'if (html === "silent") return;',
      "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);",
    );
    const run = open({ workers: 2, waiting: 100, source: threads });
    const all = await Promise.all(Array.from({ length: 40 }, (_, index) => run(String(index))));
    expect(new Set(all).size).toBe(2);
  });

  it.each([
    ["exit", "a worker ended"],
    ["throw", "a worker failed: Error"],
    ["memory", "a worker failed: Error"],
  ])("refuses the text of a worker that ends by `%s`, and goes on with another", async (html, reason) => {
    const run = open();
    expect(await Promise.all([run("a"), run(html), run("b")])).toEqual(["a!", `Error: ${reason}`, "b!"]);
    expect(await run("c")).toBe("c!");
  });

  it.each(["hang", "silent"])(
    "refuses a text that takes too long (`%s`), and goes on with another worker",
    async (html) => {
      const run = open({ jobMs: 300 });
      expect(await run(html)).toBe("Error: sanitizing took too long");
      expect(await run("a")).toBe("a!");
    },
  );

  it("turns away what it has no room for, at once", async () => {
    const run = open({ waiting: 2 });
    const all = await Promise.all(["a", "b", "c", "d"].map(run));
    expect(all).toEqual([
      "a!",
      "b!",
      "Error: too many texts wait to be sanitized",
      "Error: too many texts wait to be sanitized",
    ]);
  });

  it("lets nobody wait for ever behind others", async () => {
    const run = open({ waitMs: 100, jobMs: 2_000 });
    expect(await run("a")).toBe("a!");
    expect(await Promise.all([run("silent"), run("b")])).toEqual([
      "Error: sanitizing took too long",
      "Error: no worker was free in time",
    ]);
  });

  it("refuses everybody where no worker starts, and tries again for the next", async () => {
    const run = open({ source: "throw new Error('no')" });
    expect(await Promise.all([run("a"), run("b")])).toEqual([
      "Error: no worker could be started",
      "Error: no worker could be started",
    ]);
    expect(await run("c")).toBe("Error: no worker could be started");
  });

  it("refuses everybody where no thread can be had, and keeps no place for them", async () => {
    const from = (() => "no thread can be given this") as unknown as string;
    const run = open({ from, waiting: 1 });
    const all = [await run("a"), await run("b"), await run("c")];
    expect(all).toEqual(all.map(() => "Error: no worker could be started"));
  });

  it("refuses those that wait where no other thread can be had for one that died", async () => {
    const from: { refused?: () => void } = {};
    const run = open({ from: from as unknown as string });
    expect(await run("a")).toBe("a!");
    from.refused = () => undefined;
    expect(await Promise.all([run("exit"), run("b")])).toEqual([
      "Error: a worker ended",
      "Error: no worker could be started",
    ]);
  });

  it("refuses where a worker does not start in time", async () => {
    const run = open({ source: "setInterval(() => {}, 1000)", startMs: 100 });
    expect(await run("a")).toBe("Error: no worker could be started");
  });

  it("refuses what is under way when it is closed, and all that comes later", async () => {
    const run = open({ waiting: 10 });
    expect(await run("a")).toBe("a!");
    const under = [run("silent"), run("b")];
    await pool.close();
    expect(await Promise.all(under)).toEqual(["Error: the engine is closed", "Error: the engine is closed"]);
    expect(await run("c")).toBe("Error: the engine is closed");
  });

  it("gives a worker nothing of the application's", async () => {
    process.env["GATEHOUSE_TEST_CANARY"] = "CANARY";
    const run = open({
      source: OBEDIENT.replace(
        'html + "!"',
        "JSON.stringify([process.env.GATEHOUSE_TEST_CANARY ?? null, process.execArgv])",
      ),
    });
    expect(await run("a")).toBe("[null,[]]");
    delete process.env["GATEHOUSE_TEST_CANARY"];
  });
});
