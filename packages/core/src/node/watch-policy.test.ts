/** A policy file that is watched: real files, real events. */
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createEngine, type Engine, type PolicyFollower } from "../index.js";
import { pairOf, policyOf, testsOf, Told } from "../change/change.test-support.js";
import { readPolicy, signBundle, watchPolicy, type WatchOptions } from "./index.js";

let folder = "";
let file = "";
let told = new Told();
const ended: (() => Promise<void> | void)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gatehouse-watch-"));
  file = join(folder, "policy.json");
  told = new Told();
});
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
  rmSync(folder, { recursive: true, force: true });
});

const text = (route: string): string => `// lets ${route} in\n${JSON.stringify(policyOf(route))}\n`;
const put = (route: string, path = file): void => writeFileSync(path, text(route));

async function serve(options: WatchOptions = {}): Promise<{ engine: Engine; follower: PolicyFollower }> {
  const engine = await createEngine(policyOf("start"));
  const { onChange, onProblem } = told;
  // Events alone would do; where a machine has none left to give, the look from time to time stands in.
  const times = { settle: "20ms", interval: "1s" };
  const follower = await watchPolicy(engine, file, { ...times, onChange, onProblem, ...options });
  ended.push(
    () => follower.close(),
    () => engine.close(),
  );
  await follower.ready;
  return { engine, follower };
}

async function lets(engine: Engine): Promise<string[]> {
  const open: string[] = [];
  for (const route of ["start", "a", "b", "c"]) {
    const request = { method: "GET", target: `/${route}`, headers: [["Host", "a.test"]] } as const;
    if ((await engine.evaluate(request)).outcome === "admit") open.push(route);
  }
  return open;
}

/** Until a policy that lets exactly this in is in force. */
async function inForce(engine: Engine, route: string): Promise<void> {
  const { revision } = await createEngine(policyOf(route));
  await told.until(() => engine.revision === revision);
  expect(await lets(engine)).toEqual([route]);
}

describe("a policy file that is watched", () => {
  it("is read at the beginning, and whenever it is written over", async () => {
    put("a");
    const { engine, follower } = await serve();
    expect(await lets(engine)).toEqual(["a"]);
    put("b");
    await inForce(engine, "b");
    expect(told.changes).toHaveLength(2);
    expect(follower.status).toMatchObject({ state: "current", revision: engine.revision });
    expect(told.problems).toEqual([]);
  });

  it("is no change where it says what is in force", async () => {
    put("start");
    const { engine } = await serve();
    writeFileSync(file, JSON.stringify(policyOf("start"), null, 4));
    put("a");
    await inForce(engine, "a");
    expect(told.changes).toHaveLength(1);
  });

  it("may be put in its place by an editor, again and again", async () => {
    put("a");
    const { engine } = await serve();
    for (const route of ["b", "c", "a"]) {
      put(route, `${file}~`);
      renameSync(`${file}~`, file);
      await inForce(engine, route);
    }
  });

  it("may be a link in a volume that Kubernetes swaps", async () => {
    const data = (route: string): string => {
      mkdirSync(join(folder, `..${route}`));
      put(route, join(folder, `..${route}`, "policy.json"));
      return `..${route}`;
    };
    symlinkSync(data("a"), join(folder, "..data"));
    symlinkSync(join("..data", "policy.json"), file);
    const { engine } = await serve();
    expect(await lets(engine)).toEqual(["a"]);
    for (const route of ["b", "c"]) {
      symlinkSync(data(route), join(folder, "..data_tmp"));
      renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
      await inForce(engine, route);
    }
  });

  it("may be gone for a while, and its folder too", async () => {
    put("a");
    // Linux tells of a folder that is moved; elsewhere the look from time to time finds out.
    const { engine, follower } = await serve({ interval: process.platform === "linux" ? "1d" : "1s" });
    unlinkSync(file);
    await told.until(() => told.problems.length === 1);
    expect(told.problems[0]).toEqual({
      reason: "unreadable",
      message: "the policy file cannot be read (ENOENT)",
      from: "source",
    });
    expect(await lets(engine)).toEqual(["a"]);
    put("b");
    await inForce(engine, "b");
    renameSync(folder, `${folder}-old`);
    ended.push(() => rmSync(`${folder}-old`, { recursive: true }));
    mkdirSync(folder);
    put("c");
    await inForce(engine, "c");
    // The new folder is the one that is watched now.
    put("a");
    await inForce(engine, "a");
    expect(follower.status.state).toBe("current");
  });

  it("the last content wins, once, where it is written twice (B10.154)", async () => {
    put("a");
    const { engine } = await serve({ settle: "200ms" });
    put("b");
    put("c");
    await inForce(engine, "c");
    expect(told.changes.map(({ revision }) => revision).at(-1)).toBe(engine.revision);
    expect(told.changes).toHaveLength(2);
  });

  it("cut or broken at any byte, it leaves the old one in force, and is told (B10.153)", async () => {
    put("a");
    const { engine, follower } = await serve({ interval: "1d" });
    const { revision } = engine;
    const whole = text("b");
    const end = whole.trimEnd().length;
    for (let length = 0; length < end; length++) {
      writeFileSync(file, whole.slice(0, length));
      await follower.check();
      expect(follower.status.state).toBe("failing");
      // In a comment anything may stand.
      if (length > whole.indexOf("\n")) {
        writeFileSync(file, `${whole.slice(0, length)}\0${whole.slice(length + 1)}`);
        await follower.check();
        expect(follower.status.state).toBe("failing");
      }
      expect(engine.revision).toBe(revision);
      put("a");
      await follower.check();
    }
    expect(engine.revision).toBe(revision);
    put("b");
    await follower.check();
    expect(await lets(engine)).toEqual(["b"]);
  });

  it("that cannot be served leaves the old one, told once, with its place", async () => {
    put("a");
    const { engine, follower } = await serve();
    const broken = '{\n  "gatehouse": 1,\n  "name": "served",\n  "routes": { "GET /b": {} }\n}\n';
    writeFileSync(file, broken);
    await told.until(() => told.problems.length === 1);
    await follower.check();
    await follower.check();
    expect(told.problems).toHaveLength(1);
    expect(told.problems[0]).toMatchObject({ reason: "refused" });
    expect(told.problems[0]?.diagnostics?.[0]).toMatchObject({ file, line: 4 });
    expect(follower.status).toMatchObject({ state: "failing", revision: engine.revision });
    expect(await lets(engine)).toEqual(["a"]);
  });

  it("takes up what was missing beside it, without a change of its own", async () => {
    put("a");
    const { engine } = await serve({ interval: "100ms" });
    const policy = { ...policyOf("b"), redaction: { key: { secret: "file:later" } } };
    writeFileSync(file, JSON.stringify(policy));
    await told.until(() => told.problems.length === 1);
    expect(told.problems[0]?.message).toContain("secret `file:later` is not set");
    expect(await lets(engine)).toEqual(["a"]);
    writeFileSync(join(folder, "later"), "0123456789abcdef0123456789abcdef", { mode: 0o600 });
    await told.until(() => told.changes.length === 2);
    expect(await lets(engine)).toEqual(["b"]);
  });

  it("passes its tests first", async () => {
    put("a");
    const tests = join(folder, "served.policy-test.json");
    writeFileSync(tests, JSON.stringify(testsOf("a")));
    const { engine } = await serve({ tests: [tests] });
    expect(await lets(engine)).toEqual(["a"]);
    put("b");
    await told.until(() => told.problems.length === 1);
    expect(told.problems[0]).toMatchObject({ reason: "tests-failed", message: `\`${tests}\`: /a is open` });
    expect(await lets(engine)).toEqual(["a"]);
    writeFileSync(tests, JSON.stringify(testsOf("b")));
    await inForce(engine, "b");
  });

  it("is a signed bundle where keys are pinned, and nothing else", async () => {
    const pair = pairOf("2026");
    const bundle = { keys: [pair.pinned] };
    writeFileSync(file, await signBundle({ revision: 2, policy: policyOf("a") }, [pair.signing]));
    const { engine, follower } = await serve({ bundle });
    expect(await lets(engine)).toEqual(["a"]);
    writeFileSync(file, await signBundle({ revision: 1, policy: policyOf("b") }, [pair.signing]));
    await told.until(() => told.problems.length === 1);
    put("b");
    await told.until(() => told.problems.length === 2);
    expect(told.problems.map(({ reason }) => reason)).toEqual(["rolled-back", "malformed"]);
    const tests = [testsOf("c")];
    writeFileSync(file, await signBundle({ revision: 3, policy: policyOf("b"), tests }, [pair.signing]));
    await told.until(() => told.problems.length === 3);
    expect(told.problems[2]).toMatchObject({ reason: "tests-failed" });
    expect(await lets(engine)).toEqual(["a"]);
    writeFileSync(file, await signBundle({ revision: 4, policy: policyOf("c"), tests }, [pair.signing]));
    await inForce(engine, "c");
    expect(follower.status.bundle).toBe(4);
  });

  it("listeners that throw, and files that are no files, end nothing", async () => {
    put("a");
    const noise = (): never => {
      throw new Error("a listener");
    };
    const { engine, follower } = await serve({
      onChange: noise,
      onProblem: noise,
    });
    unlinkSync(file);
    mkdirSync(file);
    await follower.check();
    expect(follower.status.problem).toMatchObject({ reason: "unreadable" });
    rmSync(file, { recursive: true });
    writeFileSync(file, "");
    truncateSync(file, 17 * 1024 * 1024);
    await follower.check();
    expect(follower.status.problem).toMatchObject({ reason: "unreadable" });
    put("b");
    await follower.check();
    expect(await lets(engine)).toEqual(["b"]);
  });

  it("is left alone once it is closed", async () => {
    put("a");
    const { engine, follower } = await serve();
    follower.close();
    put("b");
    await follower.check();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await lets(engine)).toEqual(["a"]);
    expect(follower.status.state).toBe("closed");
    expect(told.changes).toHaveLength(1);
  });

  it.each<[unknown]>([
    [{ interval: "1ms" }],
    [{ settle: "1h" }],
    [{ tests: "a" }],
    [{ intervall: "1s" }],
    [{ onChange: 1 }],
  ])("is not begun with %j", async (options) => {
    const engine = await createEngine(await readPolicy(await fileWith("a")));
    await expect(watchPolicy(engine, file, options as WatchOptions)).rejects.toThrow(TypeError);
  });
});

async function fileWith(route: string): Promise<string> {
  put(route);
  return Promise.resolve(file);
}
