/** Secrets that change while an engine serves. */
import { createHmac } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  createEngine,
  parsePolicy,
  PolicyError,
  Secret,
  SecretError,
  secretsByScheme,
  type Engine,
  type EngineOptions,
  type HeaderField,
  type PolicyDocument,
  type SecretSource,
  type SecretValue,
} from "../index.js";
import { nodeSecrets } from "../platform/node-files.js";
import { platform } from "../platform/node.js";
import { Events } from "./secrets-events.test-support.js";

const A = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-c4n4ry";
const B = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-c4n4ry";
const C = "cccccccccccccccccccccccccccccccc-c4n4ry";

const document: PolicyDocument = {
  gatehouse: 1,
  name: "rotating",
  transport: { https: "off" },
  authenticators: {
    user: {
      type: "jwt",
      issuer: "https://id.test/",
      audience: "api",
      algorithms: ["HS256"],
      keys: { secret: "vault:signing" },
    },
  },
  redaction: { key: { secret: "vault:hashing" } },
  routes: {
    "GET /me": {
      authenticate: ["user"],
      authorize: "authenticated",
      response: {
        body: { type: "object", properties: { name: { type: "string" } } },
        redact: { "/name": "hash" },
      },
    },
  },
};

function token(secret: string): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { iss: "https://id.test/", aud: "api", sub: "ann", exp: Date.now() / 1000 + 3600 };
  const input = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}

async function outcomeOf(engine: Engine, secret: string): Promise<string> {
  const decision = await engine.evaluate({
    method: "GET",
    target: "/me",
    headers: [
      ["Host", "a.test"],
      ["Authorization", `Bearer ${token(secret)}`],
    ],
  });
  return decision.outcome;
}

async function hashed(engine: Engine, secret: string): Promise<unknown> {
  const exchange = engine.open({
    method: "GET",
    target: "/me",
    headers: [
      ["Host", "a.test"],
      ["Authorization", `Bearer ${token(secret)}`],
    ],
  });
  await exchange.head();
  const { body } = exchange.respond({ status: 200, headers: [], body: { name: "ann" } });
  exchange.end(200);
  return JSON.parse(Buffer.from(body ?? "").toString()) as unknown;
}

const hashUnder = (key: string): unknown => ({
  name: createHmac("sha256", key).update('"ann"').digest("base64url"),
});

/** A source that a test turns. */
class Vault implements SecretSource {
  readonly values = new Map<string, SecretValue | (() => never)>([
    ["vault:signing", A],
    ["vault:hashing", A],
  ]);
  signal: () => void = () => undefined;
  watched: readonly string[] = [];
  ended = 0;

  get(reference: string): SecretValue | undefined {
    const value = this.values.get(reference);
    return typeof value === "function" ? value() : value;
  }

  watch(references: readonly string[], changed: () => void): () => void {
    this.watched = references;
    this.signal = changed;
    return () => void (this.ended += 1);
  }
}

interface Asked {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly HeaderField[];
  readonly body?: string;
}

async function ask(engine: Engine, { method, target, headers, body }: Asked): Promise<string> {
  const exchange = engine.open({ method, target, headers: [["Host", "a.test"], ...headers] });
  const head = await exchange.head();
  const decision =
    head.outcome === "continue"
      ? await exchange.body({ bytes: Buffer.from(body ?? ""), complete: true })
      : head;
  exchange.end(200);
  return decision.outcome;
}

const engines: Engine[] = [];
const folders: string[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  for (const engine of engines.splice(0)) await engine.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function serve(options: EngineOptions, policy = document): Promise<Engine> {
  const engine = await createEngine(policy, options);
  engines.push(engine);
  return engine;
}

describe("a secret that changes while serving", () => {
  it("verifies beside the new one for a while, and makes nothing any more", async () => {
    const [vault, events] = [new Vault(), new Events()];
    const engine = await serve({ secrets: vault, secretOverlap: "2s", onSecrets: events.listen });
    expect(vault.watched).toEqual(["vault:hashing", "vault:signing"]);
    expect(await hashed(engine, A)).toEqual(hashUnder(A));
    const { revision } = engine;
    vault.values.set("vault:signing", B);
    vault.values.set("vault:hashing", Secret.of(B));
    vault.signal();
    const { references } = (await events.next("rotated")) as { references: readonly string[] };
    expect([...references].sort()).toEqual(["vault:hashing", "vault:signing"]);
    expect([await outcomeOf(engine, A), await outcomeOf(engine, B), await outcomeOf(engine, C)]).toEqual([
      "admit",
      "admit",
      "refuse",
    ]);
    expect(await hashed(engine, A)).toEqual(hashUnder(B));
    await events.next("retired");
    expect([await outcomeOf(engine, A), await outcomeOf(engine, B)]).toEqual(["refuse", "admit"]);
    expect(engine.revision).toBe(revision);
  });

  it("a token that was verified under the old one ends with it, although it was remembered", async () => {
    const [vault, events] = [new Vault(), new Events()];
    const engine = await serve({ secrets: vault, secretOverlap: "1ms", onSecrets: events.listen });
    expect(await outcomeOf(engine, A)).toBe("admit");
    vault.values.set("vault:signing", B);
    vault.signal();
    await events.next("retired");
    expect(await outcomeOf(engine, A)).toBe("refuse");
  });

  it("ends by its time also where that comes while another policy is made", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const [vault, events] = [new Vault(), new Events()];
    const engine = await serve({ secrets: vault, secretOverlap: "1s", onSecrets: events.listen });
    vault.values.set("vault:signing", B);
    vault.signal();
    await vi.advanceTimersByTimeAsync(50);
    await events.next("rotated");
    let answer = (): void => undefined;
    vault.values.set("vault:hashing", () => new Promise<string>((done) => (answer = () => done(A))) as never);
    const replaced = engine.replace({ ...document, name: "second" });
    await vi.advanceTimersByTimeAsync(1000);
    vault.values.set("vault:hashing", A);
    answer();
    await replaced;
    await events.next("retired");
    expect([await outcomeOf(engine, A), await outcomeOf(engine, B)]).toEqual(["refuse", "admit"]);
  });

  it("ends also where the source does not answer any more", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const [vault, events] = [new Vault(), new Events()];
    const engine = await serve({ secrets: vault, secretOverlap: "1s", onSecrets: events.listen });
    vault.values.set("vault:signing", B);
    vault.signal();
    await vi.advanceTimersByTimeAsync(50);
    await events.next("rotated");
    vault.values.set("vault:hashing", () => new Promise<string>(() => undefined) as never);
    vault.signal();
    await vi.advanceTimersByTimeAsync(12_000);
    expect(await events.next("kept")).toMatchObject({
      references: ["vault:hashing"],
      reason: expect.stringContaining("it did not answer within 10 s") as string,
    });
    await events.next("retired");
    expect([await outcomeOf(engine, A), await outcomeOf(engine, B)]).toEqual(["refuse", "admit"]);
  });

  it("one that came back in time is not ended, and nothing is compiled or told for it", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const [vault, events] = [new Vault(), new Events()];
    const engine = await serve({ secrets: vault, secretOverlap: "1s", onSecrets: events.listen });
    for (const value of [B, A]) {
      vault.values.set("vault:signing", value);
      vault.signal();
      await vi.advanceTimersByTimeAsync(500);
      await events.next("rotated");
    }
    await vi.advanceTimersByTimeAsync(100);
    vault.signal();
    await vi.advanceTimersByTimeAsync(50);
    expect(events.seen).toEqual([]);
    expect([await outcomeOf(engine, A), await outcomeOf(engine, B)]).toEqual(["admit", "admit"]);
  });

  it("ends at once where no overlap is wanted", async () => {
    const [vault, events] = [new Vault(), new Events()];
    const engine = await serve({ secrets: vault, secretOverlap: "0s", onSecrets: events.listen });
    vault.values.set("vault:signing", B);
    vault.signal();
    await events.next("rotated");
    expect([await outcomeOf(engine, A), await outcomeOf(engine, B)]).toEqual(["refuse", "admit"]);
  });

  it("is followed by `replace` too, with its overlap, and a value that comes back is the current one", async () => {
    const vault = new Vault();
    const engine = await serve({ secrets: vault, secretOverlap: "1h" });
    vault.values.set("vault:signing", B);
    await engine.replace({ ...document, name: "second" });
    expect([await outcomeOf(engine, A), await outcomeOf(engine, B)]).toEqual(["admit", "admit"]);
    vault.values.set("vault:signing", A);
    await engine.replace({ ...document, name: "third" });
    expect([await outcomeOf(engine, A), await outcomeOf(engine, B)]).toEqual(["admit", "admit"]);
  });

  it.each<[string, SecretValue | undefined | (() => never), RegExp]>([
    ["is gone", undefined, /^secret `vault:signing` is not set$/u],
    ["is empty", "", /^secret `vault:signing` is empty$/u],
    [
      "cannot be read",
      () => {
        throw new Error(`no ${B}`);
      },
      /^the source of secrets failed on `vault:signing`$/u,
    ],
    [
      "cannot be read, and the source says why",
      () => {
        throw new SecretError("the vault is sealed");
      },
      /`vault:signing`: the vault is sealed$/u,
    ],
    ["is too short for its use", "c4n4ry", /`vault:signing` holds 6 bytes, at least 32 are needed/u],
  ])("the old one stays where the new one %s, and it is told", async (_name, value, reason) => {
    const [vault, events] = [new Vault(), new Events()];
    const engine = await serve({ secrets: vault, onSecrets: events.listen });
    if (value === undefined) vault.values.delete("vault:signing");
    else vault.values.set("vault:signing", value);
    vault.signal();
    const kept = await events.next("kept");
    expect((kept as { reason: string }).reason).toMatch(reason);
    expect(inspect(kept)).not.toContain("c4n4ry");
    expect(await outcomeOf(engine, A)).toBe("admit");
  });

  it.each([
    ["is too short", "c4n4ry", "6 bytes, at least 16 are needed"],
    [
      "is a public key",
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJhhd1ziNtEH/f8hM0seIZnSDMfDKMJSLIw8iz1RNIDO",
      "a public or private key, not raw bytes",
    ],
  ])("hashes are made with the old key where the new one %s", async (_name, value, holds) => {
    const [vault, events] = [new Vault(), new Events()];
    const engine = await serve({ secrets: vault, onSecrets: events.listen });
    vault.values.set("vault:hashing", value);
    vault.signal();
    const kept = await events.next("kept");
    expect(kept).toMatchObject({ references: ["vault:hashing"] });
    expect((kept as { reason: string }).reason).toContain(`\`vault:hashing\` holds ${holds}`);
    expect(await hashed(engine, A)).toEqual(hashUnder(A));
  });

  it("one that cannot be read holds up no other, and is tried again by itself", async () => {
    const [vault, events] = [new Vault(), new Events()];
    const engine = await serve({ secrets: vault, onSecrets: events.listen });
    vault.values.set("vault:signing", B);
    vault.values.delete("vault:hashing");
    vault.signal();
    expect(await events.next("rotated")).toMatchObject({ references: ["vault:signing"] });
    expect(await events.next("kept")).toMatchObject({ references: ["vault:hashing"] });
    expect(engine.health()).toMatchObject({
      status: "degraded",
      reason: "a secret or key set was not rotated",
      secrets: { problem: { references: ["vault:hashing"], reason: expect.any(String) as string } },
    });
    expect(await hashed(engine, B)).toEqual(hashUnder(A));
    vault.values.set("vault:hashing", B);
    expect(await events.next("rotated")).toMatchObject({ references: ["vault:hashing"] });
    expect(engine.health().secrets).toEqual({ status: "ok" });
    expect(await hashed(engine, B)).toEqual(hashUnder(B));
  });

  it("is told to the process where nobody listens", async () => {
    const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
    const vault = new Vault();
    await serve({ secrets: vault });
    vault.values.delete("vault:signing");
    vault.signal();
    expect((await warned).message).toBe(
      "a secret or key set was not rotated: secret `vault:signing` is not set",
    );
  });

  it("a source that will not be left alone holds up neither a swap nor the end", async () => {
    const vault = new Vault();
    vault.watch = () => () => {
      throw new Error("no");
    };
    const engine = await serve({ secrets: vault });
    await engine.replace({ gatehouse: 1, name: "open", routes: { "GET /": { authenticate: "none" } } });
    await engine.replace(document);
    await engine.close();
    expect(engine.name).toBe("rotating");
  });

  it("is no business of a policy that is gone, or of a closed engine", async () => {
    const [vault, events] = [new Vault(), new Events()];
    const engine = await serve({ secrets: vault, onSecrets: events.listen });
    await engine.replace({ gatehouse: 1, name: "open", routes: { "GET /": { authenticate: "none" } } });
    expect(vault.ended).toBe(1);
    await engine.replace(document);
    expect(vault.watched).toEqual(["vault:hashing", "vault:signing"]);
    await engine.close();
    expect(vault.ended).toBe(2);
    vault.values.set("vault:signing", B);
    vault.signal();
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(events.seen).toEqual([]);
  });

  it("a list of keys is replaced whole: a key that was taken out is good no more", async () => {
    const record = (id: string, key: string): object => ({
      id,
      sha256: platform.sha256Hex(key),
    });
    const policy: PolicyDocument = {
      gatehouse: 1,
      name: "keys",
      transport: { https: "off" },
      authenticators: {
        partner: { type: "api-key", in: "header", name: "X-API-Key", keys: { secret: "vault:keys" } },
      },
      routes: { "GET /": { authenticate: ["partner"], authorize: "authenticated" } },
    };
    const [vault, events] = [new Vault(), new Events()];
    vault.values.set("vault:keys", JSON.stringify([record("old", A), record("new", B)]));
    const engine = await serve({ secrets: vault, onSecrets: events.listen }, policy);
    const ask = async (key: string): Promise<string> =>
      (
        await engine.evaluate({
          method: "GET",
          target: "/",
          headers: [
            ["Host", "a.test"],
            ["X-API-Key", key],
          ],
        })
      ).outcome;
    expect([await ask(A), await ask(B)]).toEqual(["admit", "admit"]);
    vault.values.set("vault:keys", JSON.stringify([record("new", B)]));
    vault.signal();
    await events.next("rotated");
    expect([await ask(A), await ask(B)]).toEqual(["refuse", "admit"]);
  });

  describe("whatever is verified by it", () => {
    const vault = { secret: "vault:signing" };
    const policy: PolicyDocument = {
      gatehouse: 1,
      name: "signed",
      transport: { https: "off" },
      authenticators: {
        hook: { type: "signature", preset: "github", secrets: [vault] },
        signer: {
          type: "http-signature",
          keys: [{ keyid: "k", algorithm: "hmac-sha256", key: vault, id: "ann" }],
          replay: "allow",
        },
        visitor: { type: "custom", use: "visitor", in: "cookie", name: "sid" },
      },
      defaults: { authorize: "authenticated" },
      routes: {
        "POST /hook": { authenticate: ["hook"] },
        "GET /signed": { authenticate: ["signer"] },
        "* /page": { authenticate: ["visitor"], csrf: { tokens: { keys: [vault] } } },
      },
    };
    const hmac = (key: string, text: string, encoding: "hex" | "base64" | "base64url") =>
      createHmac("sha256", key).update(text).digest(encoding);

    const hook = (key: string): Asked => ({
      method: "POST",
      target: "/hook",
      headers: [
        ["Content-Type", "application/json"],
        ["Content-Length", "2"],
        ["X-Hub-Signature-256", `sha256=${hmac(key, "{}", "hex")}`],
      ],
      body: "{}",
    });
    const message = (key: string): Asked => {
      const input = `("@method" "@target-uri");created=${Math.floor(Date.now() / 1000)};keyid="k"`;
      const base = `"@method": GET\n"@target-uri": http://a.test/signed\n"@signature-params": ${input}`;
      return {
        method: "GET",
        target: "/signed",
        headers: [
          ["Signature-Input", `sig1=${input}`],
          ["Signature", `sig1=:${hmac(key, base, "base64")}:`],
        ],
      };
    };
    const page = (key: string): Asked => {
      const text = `${Math.floor(Date.now() / 1000) + 3600}\n${"n".repeat(22)}`;
      const mac = hmac(key, `gatehouse csrf token\n${text}\n7:visitorann`, "base64url");
      const token = `${text.replace("\n", ".")}.${mac}`;
      return {
        method: "POST",
        target: "/page",
        headers: [
          ["Cookie", `sid=ann; __Host-csrf=${token}`],
          ["X-CSRF-Token", token],
        ],
      };
    };

    // Each waits for an overlap, and an engine that another test ends would wait in vain.
    it.concurrent.each([
      ["a webhook", hook],
      ["a signature of a message", message],
      ["a csrf token", page],
    ])("%s", async (_name, made) => {
      const [secrets, events] = [new Vault(), new Events()];
      const engine = await createEngine(policy, {
        secrets,
        secretOverlap: "2s",
        onSecrets: events.listen,
        authenticators: { visitor: ({ credential }) => ({ principal: { id: credential } }) },
      });
      try {
        const outcomes = async () => [await ask(engine, made(A)), await ask(engine, made(B))];
        expect(await outcomes()).toEqual(["admit", "refuse"]);
        secrets.values.set("vault:signing", B);
        secrets.signal();
        await events.next("rotated");
        expect(await outcomes()).toEqual(["admit", "admit"]);
        await events.next("retired");
        expect(await outcomes()).toEqual(["refuse", "admit"]);
      } finally {
        await engine.close();
      }
    });
  });

  it("requests that are under way keep the keys that they began with", async () => {
    const [vault, events] = [new Vault(), new Events()];
    const engine = await serve({ secrets: vault, secretOverlap: "0s", onSecrets: events.listen });
    const exchange = engine.open({
      method: "GET",
      target: "/me",
      headers: [
        ["Host", "a.test"],
        ["Authorization", `Bearer ${token(A)}`],
      ],
    });
    await exchange.head();
    vault.values.set("vault:hashing", B);
    vault.signal();
    await events.next("rotated");
    const { body } = exchange.respond({ status: 200, headers: [], body: { name: "ann" } });
    exchange.end(200);
    expect(JSON.parse(Buffer.from(body ?? "").toString())).toEqual(hashUnder(A));
  });

  it("does not follow what the author does to the document meanwhile", async () => {
    const [vault, events] = [new Vault(), new Events()];
    const own = structuredClone(document) as unknown as { routes: Record<string, unknown> };
    const engine = await serve(
      { secrets: vault, onSecrets: events.listen },
      own as unknown as PolicyDocument,
    );
    const { revision } = engine;
    own.routes["GET /open"] = { authenticate: "none" };
    vault.values.set("vault:signing", B);
    vault.signal();
    await events.next("rotated");
    expect(engine.revision).toBe(revision);
    const decision = await engine.evaluate({
      method: "GET",
      target: "/open",
      headers: [["Host", "a.test"]],
    });
    expect(decision.outcome).toBe("refuse");
  });

  it("stands in nothing that can be inspected", async () => {
    const [vault, events] = [new Vault(), new Events()];
    const engine = await serve({ secrets: vault, onSecrets: events.listen });
    vault.values.set("vault:signing", B);
    vault.signal();
    const told = await events.next("rotated");
    vault.values.clear();
    const shown = inspect([engine, told], { depth: 40, showHidden: true, getters: true });
    expect(shown).not.toContain("c4n4ry");
    expect(shown).not.toContain("61 61 61 61 61");
  });
});

describe("options", () => {
  it.each([
    [{ secretOverlap: "8d" }, "`secretOverlap` of `createEngine` is not a duration"],
    [{ secretOverlap: 5 }, "`secretOverlap` of `createEngine` is not a duration"],
    [{ onSecrets: true }, "`onSecrets` of `createEngine` is not a function"],
  ])("%j is refused", async (options, message) => {
    await expect(createEngine(document, options as EngineOptions)).rejects.toThrow(message);
  });

  it("an unresolved or empty secret fails the load, with its reference and its place", async () => {
    const text = JSON.stringify(document, null, 2);
    for (const [secrets, message] of [
      [{ get: () => undefined }, "secret `vault:signing` is not set"],
      [{ get: () => "" }, "secret `vault:signing` is empty"],
      [secretsByScheme({}), "the source of secrets failed on `vault:signing`: no source for `vault:`"],
    ] as const) {
      const failed: unknown = await createEngine(parsePolicy(text, "p.json"), { secrets }).catch(
        (error: unknown) => error,
      );
      expect(failed).toBeInstanceOf(PolicyError);
      expect((failed as PolicyError).diagnostics).toContainEqual(
        expect.objectContaining({
          code: "unresolved-secret",
          pointer: "/authenticators/user/keys",
          file: "p.json",
          line: 15,
          message,
        }),
      );
    }
  });

  it("sources are picked by scheme", async () => {
    const vault = new Vault();
    const ended: string[] = [];
    const source = secretsByScheme({
      vault,
      other: { get: () => C, watch: () => () => void ended.push("other") },
    });
    expect(await source.get("vault:signing")).toBe(A);
    expect(await source.get("other:x")).toBe(C);
    expect(() => source.get("file:x")).toThrow("no source for `file:`");
    const end = source.watch?.(["vault:signing", "other:x", "file:x"], () => undefined);
    expect(vault.watched).toEqual(["vault:signing"]);
    end?.();
    expect([vault.ended, ended]).toEqual([1, ["other"]]);
    expect(() => secretsByScheme({ "Bad Scheme": vault })).toThrow(TypeError);
  });
});

describe("files", () => {
  function folderWith(signing: string, base = tmpdir()): string {
    const folder = mkdtempSync(join(base, "gatehouse-rotation-"));
    folders.push(folder);
    mkdirSync(join(folder, "..first"));
    writeFileSync(join(folder, "..first", "signing"), `${signing}\n`, { mode: 0o600 });
    symlinkSync("..first", join(folder, "..data"));
    symlinkSync(join("..data", "signing"), join(folder, "signing"));
    return folder;
  }
  const inFolder = (folder: string): PolicyDocument => {
    const { redaction: _, ...rest } = JSON.parse(
      JSON.stringify(document)
        .replace("vault:signing", "file:signing")
        .replace('"/name":"hash"', '"/name":"mask"'),
    ) as PolicyDocument;
    return parsePolicy(JSON.stringify(rest), join(folder, "policy.json"));
  };

  it("a mounted secret that Kubernetes swaps is followed", async () => {
    const folder = folderWith(A);
    const events = new Events();
    const engine = await serve({ onSecrets: events.listen }, inFolder(folder));
    mkdirSync(join(folder, "..second"));
    writeFileSync(join(folder, "..second", "signing"), B, { mode: 0o600 });
    symlinkSync("..second", join(folder, "..data_tmp"));
    renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    expect(await events.next("rotated")).toEqual({ outcome: "rotated", references: ["file:signing"] });
    expect([await outcomeOf(engine, A), await outcomeOf(engine, B)]).toEqual(["admit", "admit"]);
  });

  it("one that is deleted leaves the old one, and one that is put there again is followed", async () => {
    const folder = folderWith(A);
    const events = new Events();
    const engine = await serve({ onSecrets: events.listen }, inFolder(folder));
    unlinkSync(join(folder, "..first", "signing"));
    unlinkSync(join(folder, "signing"));
    expect(await events.next("kept")).toMatchObject({ reason: "secret `file:signing` is not set" });
    expect(await outcomeOf(engine, A)).toBe("admit");
    writeFileSync(join(folder, "signing"), B, { mode: 0o600 });
    await events.next("rotated");
    expect(await outcomeOf(engine, B)).toBe("admit");
  });

  it("one that everybody can write is refused, and one that everybody can read is told", async () => {
    // Not in the folder for what is temporary, which lies in memory on many machines.
    const folder = folderWith(A, join(process.cwd(), "node_modules"));
    const file = join(folder, "..first", "signing");
    chmodSync(file, 0o666);
    await expect(createEngine(inFolder(folder))).rejects.toThrow(
      "every user of this machine can write the file: take that right away (chmod o-w)",
    );
    chmodSync(file, 0o644);
    const events = new Events();
    await serve({ onSecrets: events.listen }, inFolder(folder));
    expect(await events.next("exposed")).toEqual({
      outcome: "exposed",
      references: ["file:signing"],
      reason: "every user of this machine can read the file (chmod o-r)",
    });
  });

  it.skipIf(!existsSync("/dev/shm"))(
    "readable to all is how containers mount secrets in memory (where /dev/shm exists)",
    async () => {
      const folder = folderWith(A, "/dev/shm");
      chmodSync(join(folder, "..first", "signing"), 0o444);
      const path = join(folder, "policy.json");
      expect(await nodeSecrets.concern?.("file:signing", path)).toBeUndefined();
      expect(Buffer.from((await nodeSecrets.get("file:signing", path)) as Uint8Array).toString()).toBe(A);
    },
  );
});
