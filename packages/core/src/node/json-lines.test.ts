/** Lines of a log: none is lost without a word, and none can be changed behind a signed head. */
import { mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createEngine, sampleDecisions, type DecisionEvent, type PolicyDocument } from "../index.js";
import { jsonLines, verifyLog, type JsonLines, type JsonLinesOptions, type LogProblem } from "./index.js";
import { ed25519Pair } from "./key-pair.js";
import { FileTarget } from "./log-target.js";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gatehouse-log-"));
  file = join(folder, "decisions.jsonl");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const POLICY: PolicyDocument = {
  gatehouse: 1,
  name: "logged",
  transport: { https: "off" },
  routes: {
    "GET /things/:id": { authenticate: "none", record: { facts: ["params.id"] } },
    "GET /kept/:id": { authenticate: "none", record: { facts: ["params.id"], onFailure: "closed" } },
  },
};

const OPEN: PolicyDocument = { ...POLICY, routes: { "GET /things/:id": { authenticate: "none" } } };

const { privateKey, publicKey } = ed25519Pair();
const KEY = {
  kid: "log-1",
  algorithm: "EdDSA",
  privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
} as const;
const PUBLIC = [
  { kid: "log-1", algorithm: "EdDSA", pem: publicKey.export({ type: "spki", format: "pem" }).toString() },
] as const;

type Line = Readonly<Record<string, unknown>>;
const linesOf = (path = file): string[] => readFileSync(path, "utf8").split("\n").slice(0, -1);
const parsed = (path = file): Line[] => linesOf(path).map((line) => JSON.parse(line) as Line);

async function logOf(options: Partial<JsonLinesOptions> = {}): Promise<JsonLines> {
  return jsonLines({ file, onProblem: () => undefined, ...options });
}

async function decide(log: JsonLines, ...targets: readonly string[]): Promise<string[]> {
  const engine = await createEngine(POLICY, { sinks: [log] });
  const said: string[] = [];
  for (const target of targets) {
    const decision = await engine.evaluate({ method: "GET", target, headers: { host: "a.test" } });
    said.push(decision.outcome === "refuse" ? decision.code : decision.outcome);
  }
  await engine.close();
  return said;
}

const EVENT: DecisionEvent = {
  id: "0197283c-0000-7000-8000-000000000000",
  correlation: "x",
  time: 0,
  policy: "logged",
  revision: "r",
  mode: "enforce",
  route: null,
  method: "GET",
  outcome: "admit",
  status: 200,
};

describe("lines", () => {
  it("the policy stands before what it decided, once, and each decision is a line", async () => {
    const log = await logOf();
    expect(await decide(log, "/things/7", "/nothing")).toEqual(["admit", "not-found"]);
    await log.close();
    const [policy, first, second, ...more] = parsed();
    expect(more).toEqual([]);
    expect(policy).toMatchObject({ type: "policy", name: "logged", document: POLICY });
    expect(first).toMatchObject({
      type: "decision",
      revision: policy?.["revision"],
      route: "GET /things/:id",
      facts: { "params.id": "7" },
      status: 200,
    });
    expect(second).toMatchObject({ type: "decision", route: null, code: "not-found", status: 404 });
    expect(log.status).toEqual({ written: 2, dropped: 0, queued: 0 });
  });

  it("says nothing of what was thrown but which kind of error it was", async () => {
    const log = await logOf();
    const error = Object.assign(new TypeError("c4n4ry", { cause: "c4n4ry" }), {
      name: "c4n4ry",
      code: "c4n4ry",
    });
    log.write({ ...EVENT, error });
    log.write({ ...EVENT, error: "c4n4ry" });
    await log.close();
    expect(parsed().map((line) => line["error"])).toEqual(["TypeError", "string"]);
    expect(readFileSync(file, "utf8")).not.toContain("c4n4ry");
  });

  it("what does not fit is dropped, counted, and told in the log and to its owner", async () => {
    const problems: LogProblem[] = [];
    const log = await logOf({ maxQueued: 2, onProblem: (problem) => void problems.push(problem) });
    for (let count = 0; count < 5; count++) log.write(EVENT);
    expect(log.status).toEqual({ written: 0, dropped: 3, queued: 2 });
    await log.flush();
    log.write(EVENT);
    await log.close();
    expect(parsed().map(({ type, count }) => count ?? type)).toEqual([3, "decision", "decision", "decision"]);
    // Once, not for each event: a log that cannot follow must not be drowned in complaints too.
    expect(problems).toEqual([{ kind: "full", dropped: 1 }]);
    log.write(EVENT);
    expect(problems).toHaveLength(2);
  });

  it("large events are dropped before they are many: what waits is bounded in bytes too", async () => {
    const problems: LogProblem[] = [];
    const log = await logOf({
      maxQueuedSize: "20kB",
      onProblem: (problem) => void problems.push(problem),
    });
    const large = { ...EVENT, facts: { "params.id": "a".repeat(4000) } };
    for (let count = 0; count < 5; count++) log.write(large);
    expect(log.status).toEqual({ written: 0, dropped: 3, queued: 2 });
    expect(problems).toEqual([{ kind: "full", dropped: 1 }]);
    await log.flush();
    // What was written takes no room any more.
    log.write(large);
    log.write(large);
    await log.close();
    expect(log.status).toEqual({ written: 4, dropped: 3, queued: 0 });
    expect(parsed().map(({ type, count }) => count ?? type)).toEqual([
      3,
      ...Array<string>(4).fill("decision"),
    ]);
  });

  it("an event with a circle in it is dropped, and those beside it are kept", async () => {
    const log = await logOf({ onProblem: () => undefined });
    const circle: Record<string, unknown> = { id: "ann" };
    circle["self"] = circle;
    log.write({ ...EVENT, principal: circle as unknown as NonNullable<DecisionEvent["principal"]> });
    log.write(EVENT);
    await log.close();
    expect(log.status).toEqual({ written: 1, dropped: 1, queued: 0 });
  });

  it("an event that cannot be said in JSON costs no other, whoever waits for them", async () => {
    const problems: LogProblem[] = [];
    for (const chain of [undefined, { key: KEY }]) {
      const log = await logOf({
        policies: false,
        onProblem: (told) => void problems.push(told),
        ...(chain && { chain }),
      });
      const odd = { ...EVENT, facts: { "principal.claims.n": 1n } };
      const kept = [EVENT, odd, EVENT].map(async (event) => await log.commit?.(event));
      expect((await Promise.allSettled(kept)).map(({ status }) => status)).toEqual([
        "fulfilled",
        "rejected",
        "fulfilled",
      ]);
      log.write(EVENT);
      await log.close();
      expect(log.status).toEqual({ written: 3, dropped: 1, queued: 0 });
      expect(problems.splice(0)).toEqual([{ kind: "event", dropped: 1 }]);
      const lines = parsed().filter(({ type }) => type !== "start" && type !== "head");
      expect(lines.map(({ type }) => type)).toEqual(["decision", "decision", "dropped", "decision"]);
      if (chain !== undefined) expect((await verifyLog(linesOf(), PUBLIC)).faults).toEqual([]);
      rmSync(file);
    }
  });

  it("a file that another program moved away is opened again by its name", async () => {
    const log = await logOf();
    await decide(log, "/things/1");
    await log.flush();
    renameSync(file, `${file}.1`);
    await decide(log, "/things/2");
    await log.reopen();
    await decide(log, "/things/3");
    await log.close();
    expect(parsed(`${file}.1`).map(({ type }) => type)).toEqual(["policy", "decision", "decision"]);
    expect(parsed().map(({ type, facts }) => facts ?? type)).toEqual(["policy", { "params.id": "3" }]);
  });

  it("what cannot be written is dropped and told, and later lines begin anew", async () => {
    const problems: LogProblem[] = [];
    const log = await jsonLines({ file: "/dev/full", onProblem: (problem) => void problems.push(problem) });
    log.write(EVENT);
    await log.flush();
    expect(log.status).toEqual({ written: 0, dropped: 1, queued: 0 });
    expect(problems).toEqual([{ kind: "write", dropped: 1, code: "ENOSPC" }]);
    await log.close();
  });

  it("what must be kept and cannot be is refused, and nothing else", async () => {
    const full = await jsonLines({ file: "/dev/full", onProblem: () => undefined });
    expect(await decide(full, "/kept/7", "/things/7")).toEqual(["unavailable", "admit"]);
    await full.close();
    const log = await logOf();
    expect(await decide(log, "/kept/7")).toEqual(["admit"]);
    await log.close();
    const [, pending, ended] = parsed();
    expect([pending, ended]).toMatchObject([
      { pending: true, outcome: "admit", status: 0, facts: { "params.id": "7" } },
      { outcome: "admit", status: 200 },
    ]);
    expect(ended?.["id"]).toBe(pending?.["id"]);
    expect(ended).not.toHaveProperty("pending");
  });

  it.each<[string, object, string]>([
    ["no place", {}, "exactly one of `file` and `stream`"],
    ["two", { file: "x", stream: "stdout" }, "exactly one of `file` and `stream`"],
    ["a stranger", { file: "x", maxQueud: 1 }, "did you mean `maxQueued`?"],
    [
      "no size",
      { file: "x", maxQueuedSize: "much" },
      "`maxQueuedSize` of `jsonLines` is not a size from 1, such as `64MB`",
    ],
    ["no bound", { file: "x", maxQueued: 0 }, "`maxQueued` of `jsonLines` is not a whole number from 1"],
    ["a chain without a key", { file: "x", chain: {} }, "`chain` of `jsonLines` needs a `key`"],
    [
      "a key that cannot sign",
      { file: "x", chain: { key: { ...KEY, privateKey: "c4n4ry" } } },
      "the key `log-1` holds no private key that can be read",
    ],
  ])("refuses %s", async (_name, options, message) => {
    await expect(jsonLines(options as JsonLinesOptions)).rejects.toThrow(message);
  });
});

describe("a chained log", () => {
  async function chained(count: number, close = true): Promise<string[]> {
    const log = await logOf({ chain: { key: KEY, everyLines: 4 }, policies: false });
    for (let index = 0; index < count; index++) {
      log.write({ ...EVENT, time: index });
      // A head may stand after each write.
      if (index % 2 === 1) await log.flush();
    }
    await (close ? log.close() : log.flush());
    return linesOf();
  }
  const judge = (lines: readonly string[]): ReturnType<typeof verifyLog> => verifyLog(lines, PUBLIC);
  const kinds = async (lines: readonly string[]): Promise<string[]> =>
    (await judge(lines)).faults.map(({ kind, line }) => `${kind} ${line}`);

  it("is whole, and says that it ended", async () => {
    const lines = await chained(10);
    const verdict = await judge(lines);
    expect(verdict).toMatchObject({ faults: [], decisions: 10, unsealed: 0, ended: true, continues: false });
    expect(verdict.sealed).toBe(lines.length);
    expect(lines.filter((line) => line.includes('"type":"head"')).length).toBeGreaterThan(2);
  });

  it("every line that is changed, removed, repeated or moved is found", async () => {
    const lines = await chained(10);
    for (const at of lines.keys()) {
      const removed = lines.toSpliced(at, 1);
      // Without its last head a log is one that has not ended.
      if (at === lines.length - 1) expect(await judge(removed)).toMatchObject({ faults: [], ended: false });
      else expect(await kinds(removed)).not.toEqual([]);
      expect(await kinds(lines.toSpliced(at, 0, lines[at] ?? ""))).not.toEqual([]);
      const line = lines[at] ?? "";
      const changed = line.includes('"status":200')
        ? line.replace('"status":200', '"status":201')
        : line.replace(
            /"(jws|chain)":"(.)/u,
            (_all, name: string, first: string) => `"${name}":"${first === "e" ? "f" : "e"}`,
          );
      expect(changed).not.toBe(line);
      expect(await kinds(lines.toSpliced(at, 1, changed))).not.toEqual([]);
      if (at > 0) expect(await kinds(lines.toSpliced(at - 1, 2, line, lines[at - 1] ?? ""))).not.toEqual([]);
    }
  });

  it("says what it found", async () => {
    const lines = await chained(4);
    const decisions = [...lines.keys()].filter((at) => lines[at]?.includes('"decision"'));
    const [first = 0, second = 0] = decisions;
    expect(await kinds(lines.toSpliced(second, 1))).toEqual([`removed ${second + 1}`]);
    expect(await kinds(lines.toSpliced(first, 1, (lines[first] ?? "").replace("200", "500")))).toContain(
      `changed ${first + 2}`,
    );
    expect((await kinds(lines.slice(1)))[0]).toBe("cut 1");
    expect(
      await kinds(lines.toSpliced(second, 0, (lines[second] ?? "").replace('{"', '{"a":1, "'))),
    ).toContain(`unreadable ${second + 1}`);
  });

  it("a rewritten chain is none: only the key's owner can sign its heads", async () => {
    const lines = await chained(4);
    rmSync(file);
    const forger = await logOf({
      chain: { key: { ...KEY, privateKey: ed25519Pair().privateKey } },
      policies: false,
    });
    forger.write({ ...EVENT, outcome: "refuse" });
    await forger.close();
    const verdict = await judge(linesOf());
    expect(verdict.faults.map(({ kind, message }) => `${kind}: ${message}`)).toEqual([
      "forged: the signature of the head does not hold",
    ]);
    expect(verdict).toMatchObject({ sealed: 0, ended: false });
    // A head that was signed for other lines, in their place.
    const head = lines.at(-1) ?? "";
    expect(await kinds([...linesOf().slice(0, -1), head])).not.toEqual([]);
  });

  it("what is behind the last head is said to be unsealed", async () => {
    const lines = await chained(5, false);
    const verdict = await judge(lines);
    expect(verdict).toMatchObject({ faults: [], ended: false });
    expect(verdict.unsealed).toBeGreaterThan(0);
    expect(verdict.sealed + verdict.unsealed).toBe(lines.length);
    // Cut off there, nobody can tell; and it is not said that all is well.
    expect(await judge(lines.slice(0, verdict.sealed))).toMatchObject({
      faults: [],
      ended: false,
      unsealed: 0,
    });
  });

  it("goes on over restarts and rotations, in one file and in several", async () => {
    await chained(3);
    const again = await logOf({ chain: { key: KEY }, policies: false });
    again.write(EVENT);
    await again.flush();
    renameSync(file, `${file}.1`);
    await again.reopen();
    again.write(EVENT);
    await again.close();
    const before = linesOf(`${file}.1`);
    const after = linesOf();
    expect(await judge([...before, ...after])).toMatchObject({
      faults: [],
      decisions: 5,
      ended: true,
      continues: false,
    });
    expect(await judge(after)).toMatchObject({ faults: [], decisions: 1, continues: true });
    // A whole run that is cut out between two others is missed.
    expect(await kinds([...before.slice(0, -2), ...after])).toEqual([`removed ${before.length - 1}`]);
  });

  it("goes on from a last line of any length, that was cut or whole", async () => {
    // `é` is two bytes: wherever the line is looked for in pieces, one of them may end within a letter.
    const long = { ...EVENT, path: `/${"é".repeat(2_500_000)}` };
    for (const rest of ["", `{"cut":"${"é".repeat(2_500_000)}`]) {
      rmSync(file, { force: true });
      const first = await logOf({ chain: { key: KEY }, policies: false });
      first.write(long);
      await first.flush();
      writeFileSync(file, rest, { flag: "a" });
      const second = await logOf({ chain: { key: KEY }, policies: false });
      await second.close();
      const lines = linesOf();
      expect(lines.some((line) => line.length > 2_500_000)).toBe(true);
      expect(await kinds(lines)).toEqual(rest === "" ? [] : [`unreadable ${lines.length - 2}`]);
      await first.close();
    }
  });

  it("a file that could not be begun is none of the chain, and the next one goes on from before it", async () => {
    const log = await logOf({ chain: { key: KEY }, policies: false, onProblem: () => undefined });
    log.write(EVENT);
    await log.flush();
    renameSync(file, `${file}.1`);
    symlinkSync("/dev/full", file);
    await expect(log.reopen()).rejects.toMatchObject({ code: "ENOSPC" });
    log.write(EVENT);
    await log.flush();
    expect(log.status).toMatchObject({ written: 1, dropped: 1 });
    rmSync(file);
    await log.reopen();
    log.write(EVENT);
    await log.close();
    const lines = [...linesOf(`${file}.1`), ...linesOf()];
    expect(await judge(lines)).toMatchObject({ faults: [], decisions: 2, ended: true });
  });

  it("a disk that takes no head keeps no file from being let go", async () => {
    const log = await logOf({ chain: { key: KEY }, policies: false });
    log.write(EVENT);
    await log.flush();
    renameSync(file, `${file}.1`);
    const full = Object.assign(new Error("full"), { code: "ENOSPC" });
    const write = vi.spyOn(FileTarget.prototype, "write").mockRejectedValueOnce(full);
    try {
      await log.reopen();
    } finally {
      write.mockRestore();
    }
    log.write(EVENT);
    await log.close();
    expect(linesOf(`${file}.1`).map((line) => (JSON.parse(line) as Line)["type"])).toEqual([
      "start",
      "decision",
    ]);
    expect(await judge([...linesOf(`${file}.1`), ...linesOf()])).toMatchObject({
      faults: [],
      decisions: 2,
      unsealed: 0,
      ended: true,
    });
  });

  it("a head says nothing but what it signs", async () => {
    const lines = await chained(2);
    const head = JSON.parse(lines.at(-1) ?? "") as Line;
    const { jws, prev, seq, type } = head;
    const edited = JSON.stringify({ jws, note: "all is well", prev, seq, type });
    expect(await kinds([...lines.slice(0, -1), edited])).toEqual([`forged ${lines.length}`]);
  });

  it("a line within which a process died is found, and what follows still holds", async () => {
    const lines = await chained(4);
    writeFileSync(file, `${lines.join("\n")}\n{"type":"decis`);
    const again = await logOf({ chain: { key: KEY }, policies: false });
    again.write(EVENT);
    await again.close();
    expect(await kinds(linesOf())).toEqual([`unreadable ${lines.length + 1}`]);
  });

  it("without a chain it costs no other line either", async () => {
    writeFileSync(file, '{"type":"decis');
    const log = await logOf({ policies: false });
    log.write(EVENT);
    await log.close();
    expect(linesOf()).toHaveLength(2);
    expect(JSON.parse(linesOf()[1] ?? "")).toMatchObject({ type: "decision" });
  });

  it("signs after a time what was not signed by its number", async () => {
    await expect(logOf({ chain: { key: KEY, everyTime: "10ms" } })).rejects.toThrow("`everyTime`");
  });
});

describe("sampling", () => {
  const seen = (
    rates: Parameters<typeof sampleDecisions>[1],
  ): [DecisionEvent[], ReturnType<typeof sampleDecisions>] => {
    const events: DecisionEvent[] = [];
    return [events, sampleDecisions({ write: (event) => void events.push(event) }, rates)];
  };

  it("drops by outcome, never a refusal unless it says so, and says what an event stands for", async () => {
    const [events, sink] = seen({ admit: 0 });
    const engine = await createEngine(OPEN, { sinks: [sink] });
    for (const target of ["/things/1", "/nothing", "/things/2"])
      await engine.evaluate({ method: "GET", target, headers: { host: "a.test" } });
    expect(events.map(({ outcome, sampled }) => [outcome, sampled])).toEqual([["refuse", undefined]]);
    sink.write({ ...EVENT, outcome: "admit" });
    expect(sampleDecisions({ write: () => undefined }, { admit: 0.25 }).wants?.("refuse", false)).toBe(true);
    await engine.close();
  });

  it("keeps what is notable whatever was decided", () => {
    const [, sink] = seen({ admit: 0, refuse: 0 });
    expect(sink.wants?.("admit", true)).toBe(true);
    expect(sink.wants?.("refuse", false)).toBe(false);
    const [events, part] = seen({ admit: 0.25 });
    part.write(EVENT);
    expect(events).toEqual([{ ...EVENT, sampled: 0.25 }]);
  });

  it("no event is made that nobody wants", async () => {
    let read = 0;
    const sink = sampleDecisions({ write: () => undefined }, { admit: 0 });
    const engine = await createEngine(OPEN, {
      sinks: [sink],
      clock: { now: () => 0, monotonic: () => (read += 1) },
    });
    await engine.evaluate({ method: "GET", target: "/things/1", headers: { host: "a.test" } });
    // The opening alone: what measures an event reads the clock again.
    expect(read).toBe(1);
    await engine.close();
  });

  it.each([{ admit: 2 }, { admit: "1" }, { refused: 1 }])("refuses %j", (rates) => {
    expect(() => sampleDecisions({ write: () => undefined }, rates as never)).toThrow(TypeError);
  });
});
