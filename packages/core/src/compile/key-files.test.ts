/** Sets of public keys in files: replaced while an engine serves. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createEngine, parsePolicy, type Engine, type EngineOptions } from "../index.js";
import { keyPair } from "../platform/keys.test-support.js";
import type { SecretProblem } from "./secret-rotation.js";
import { Events } from "./secrets-events.test-support.js";

const NAMES = ["one", "two", "three"] as const;
type Name = (typeof NAMES)[number];

const jwkOf = (name: Name): object => ({
  ...keyPair("P-256", name).publicKey.export({ format: "jwk" }),
  kid: name,
});
const setOf = (...names: readonly Name[]): string => JSON.stringify({ keys: names.map(jwkOf) });

async function tokenOf(name: Name): Promise<string> {
  return new SignJWT({ sub: "ann" })
    .setProtectedHeader({ alg: "ES256", kid: name })
    .setIssuer("https://id.test/")
    .setAudience("api")
    .setExpirationTime("1h")
    .sign(keyPair("P-256", name).privateKey);
}

let folder = "";
const engines: Engine[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gatehouse-keys-"));
});
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
  rmSync(folder, { recursive: true });
});

const place = (): string => join(folder, "keys", "jwks.json");

/** Whole, as a careful publisher does it. */
function put(text: string | Uint8Array): void {
  mkdirSync(join(folder, "keys"), { recursive: true });
  writeFileSync(`${place()}~`, text);
  renameSync(`${place()}~`, place());
}

const policyText = JSON.stringify({
  gatehouse: 1,
  name: "keys",
  transport: { https: "off" },
  authenticators: {
    user: {
      type: "jwt",
      issuer: "https://id.test/",
      audience: "api",
      algorithms: ["ES256"],
      keys: { jwks: "keys/jwks.json" },
    },
  },
  routes: { "GET /me": { authorize: "authenticated" } },
});

async function start(options: EngineOptions = {}): Promise<{ engine: Engine; events: Events }> {
  const events = new Events();
  const policy = parsePolicy(policyText, join(folder, "policy.json"));
  const engine = await createEngine(policy, { onSecrets: events.listen, ...options });
  engines.push(engine);
  return { engine, events };
}

async function outcomes(engine: Engine): Promise<readonly string[]> {
  const admitted: string[] = [];
  for (const name of NAMES) {
    const decision = await engine.evaluate({
      method: "GET",
      target: "/me",
      headers: [
        ["Host", "a.test"],
        ["Authorization", `Bearer ${await tokenOf(name)}`],
      ],
    });
    if (decision.outcome === "admit") admitted.push(name);
  }
  return admitted;
}

const REFERENCE = "jwks keys/jwks.json";

describe("a key set in a file", () => {
  it("is put in force when it changes, under the same revision, and what was taken out ends", async () => {
    put(setOf("one"));
    const { engine, events } = await start();
    const { revision } = engine;
    expect(await outcomes(engine)).toEqual(["one"]);
    put(setOf("one", "two"));
    expect(await events.next("rotated")).toEqual({ outcome: "rotated", references: [REFERENCE] });
    expect(await outcomes(engine)).toEqual(["one", "two"]);
    put(setOf("two"));
    await events.next("rotated");
    expect(await outcomes(engine)).toEqual(["two"]);
    expect(engine.revision).toBe(revision);
    expect(engine.health().status).toBe("ok");
    // Nothing of a set goes on for a while, so nothing is retired.
    expect(events.seen).toEqual([]);
  });

  it("follows a link to another folder, as Kubernetes mounts it", async () => {
    for (const [version, ...names] of [
      ["v1", "one"],
      ["v2", "two"],
    ] as const) {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, "jwks.json"), setOf(...names));
    }
    symlinkSync("v1", join(folder, "keys"));
    const { engine, events } = await start();
    expect(await outcomes(engine)).toEqual(["one"]);
    symlinkSync("v2", join(folder, "keys~"));
    renameSync(join(folder, "keys~"), join(folder, "keys"));
    await events.next("rotated");
    expect(await outcomes(engine)).toEqual(["two"]);
  });

  it.each<[string, () => void, string]>([
    ["is gone", () => unlinkSync(place()), "`keys/jwks.json` cannot be read"],
    ["is empty", () => put(""), "`keys/jwks.json` is empty"],
    ["is no text", () => put(Buffer.of(0xff)), "`keys/jwks.json` cannot be read"],
    ["is half written", () => put(setOf("two").slice(0, 40)), "`keys/jwks.json` holds no JWK Set"],
    ["holds no key", () => put('{"keys":[]}'), "`keys/jwks.json` holds no key that fits the `algorithms`"],
    ["is far too large", () => put(" ".repeat(17 * 1024 * 1024)), "cannot be read"],
  ])("that %s keeps the keys that served, says so, and is tried again", async (_, spoil, reason) => {
    put(setOf("one"));
    const { engine, events } = await start();
    spoil();
    const kept = await events.next("kept");
    expect(kept).toMatchObject({ outcome: "kept", references: [REFERENCE] });
    expect("reason" in kept && kept.reason).toContain(reason);
    expect(await outcomes(engine)).toEqual(["one"]);
    expect(engine.health()).toMatchObject({
      status: "degraded",
      secrets: { status: "degraded", reason: "a secret or key set was not rotated" },
    });
    put(setOf("two"));
    await events.next("rotated");
    expect(await outcomes(engine)).toEqual(["two"]);
    expect(engine.health().status).toBe("ok");
  });

  it("that is bad keeps what serves, alone: every other secret and set is put in force", async () => {
    put(setOf("one"));
    writeFileSync(join(folder, "others.json"), setOf("three"));
    const values = new Map([
      ["vault:a", "a".repeat(32)],
      ["vault:b", "a".repeat(32)],
      ["vault:short", "a".repeat(32)],
    ]);
    let changed = (): void => undefined;
    const document = JSON.parse(policyText) as { authenticators: Record<string, object> };
    const { user } = document.authenticators;
    document.authenticators["other"] = { ...user, issuer: "https://b.test/", keys: { jwks: "others.json" } };
    for (const name of ["a", "b", "short"])
      document.authenticators[name] = {
        ...user,
        issuer: `https://${name}.test/`,
        algorithms: ["HS256"],
        keys: { secret: `vault:${name}` },
      };
    const events = new Events();
    const engine = await createEngine(parsePolicy(JSON.stringify(document), join(folder, "policy.json")), {
      onSecrets: events.listen,
      secrets: {
        get: (reference) => values.get(reference),
        watch: (_references, tell) => ((changed = tell), () => undefined),
      },
    });
    engines.push(engine);
    put('{"keys":[{"kty":"EC","kid":"c4n4ry"}]}');
    writeFileSync(join(folder, "others.json"), setOf("two"));
    values.set("vault:a", "b".repeat(32));
    values.set("vault:b", "c".repeat(32));
    values.set("vault:short", "c4n4ry");
    changed();
    expect(await events.next("rotated")).toEqual({
      outcome: "rotated",
      references: expect.toSatisfy(
        (references: string[]) => references.sort().join() === "jwks others.json,vault:a,vault:b",
      ) as string[],
    });
    const kept = await events.next("kept");
    expect(kept).toMatchObject({
      references: expect.arrayContaining([REFERENCE, "vault:short"]) as string[],
    });
    expect(JSON.stringify(kept)).not.toContain("c4n4ry");
    expect(engine.health()).toMatchObject({
      status: "degraded",
      secrets: { problem: { references: (kept as SecretProblem).references } },
    });
    expect(await outcomes(engine)).toEqual(["one"]);
    // What was bad comes into force by itself, each when it is good.
    put(setOf("two"));
    expect(await events.next("rotated")).toEqual({ outcome: "rotated", references: [REFERENCE] });
    expect(await outcomes(engine)).toEqual(["two"]);
    values.set("vault:short", "d".repeat(32));
    changed();
    expect(await events.next("rotated")).toEqual({ outcome: "rotated", references: ["vault:short"] });
    expect(engine.health().status).toBe("ok");
  });

  it("is read beside whatever source of secrets there is", async () => {
    put(setOf("one"));
    const { engine, events } = await start({ secrets: { get: () => undefined } });
    put(setOf("three"));
    await events.next("rotated");
    expect(await outcomes(engine)).toEqual(["three"]);
  });

  it("that cannot be read fails the load, and a policy that is handed in", async () => {
    await expect(start()).rejects.toThrow("`keys/jwks.json` cannot be read");
    put(setOf("one"));
    const { engine } = await start();
    unlinkSync(place());
    const again = parsePolicy(policyText, join(folder, "policy.json"));
    await expect(engine.replace(again)).rejects.toThrow("`keys/jwks.json` cannot be read");
    expect(await outcomes(engine)).toEqual(["one"]);
  });

  it("loses no good token while keys are replaced under load", async () => {
    put(setOf("one"));
    const { engine, events } = await start();
    const refused: string[] = [];
    const load = { goesOn: true, good: "one" as Name, asked: 0 };
    const client = async (): Promise<void> => {
      while (load.goesOn) {
        const name = load.good;
        const admitted = await outcomes(engine);
        load.asked += 1;
        if (!admitted.includes(name)) refused.push(name);
      }
    };
    const clients = [client(), client(), client()];
    for (const [before, next] of [
      ["one", "two"],
      ["two", "three"],
      ["three", "one"],
    ] as const) {
      put(setOf(before, next));
      await events.next("rotated");
      // Signed with the new key from here on; the old one goes when nobody asks with it any more.
      load.good = next;
      const seen = load.asked;
      while (load.asked < seen + 6) await new Promise((resolve) => setImmediate(resolve));
      put(setOf(next));
      await events.next("rotated");
    }
    load.goesOn = false;
    await Promise.all(clients);
    expect(refused).toEqual([]);
  });
});
