/** Signed double-submit tokens: who gets one, and what one is good for. */
import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { createEngine, type Engine, type HeaderField } from "../../index.js";
import type { PolicyDocument } from "../../model/policy.js";

const KEYS: Readonly<Record<string, string>> = {
  "env:NEW": "new-key-new-key-new-key-new-key-1",
  "env:OLD": "old-key-old-key-old-key-old-key-1",
  "env:SHORT": "short",
  "env:PUBLIC": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJhhd1ziNtEH/f8hM0seIZnSDMfDKMJSLIw8iz1RNIDO",
};
const START = Date.UTC(2026, 5, 1, 12);

function policyWith(keys: readonly string[]): PolicyDocument {
  return {
    gatehouse: 1,
    name: "t",
    transport: { https: "off" },
    authenticators: { session: { type: "custom", use: "session", in: "cookie", name: "sid" } },
    defaults: { authenticate: ["session"], authorize: "authenticated" },
    csrf: { tokens: { keys: keys.map((secret) => ({ secret })), maxAge: "1h" } },
    routes: {
      "GET /": {},
      "POST /": {},
      "POST /login": { authenticate: "none", csrf: { always: true } },
      "POST /strict": { authenticate: "none", csrf: { always: true, unknown: "refuse" } },
    },
  } as unknown as PolicyDocument;
}

class Client {
  now = START;
  private constructor(private engine: Engine | undefined) {}

  static async of(keys: readonly string[] = ["env:NEW"]): Promise<Client> {
    const client = new Client(undefined);
    client.engine = await createEngine(policyWith(keys), {
      clock: { now: () => client.now, monotonic: () => client.now - START },
      secrets: { get: (reference) => KEYS[reference] },
      authenticators: { session: ({ credential }) => ({ principal: { id: credential } }) },
    });
    return client;
  }

  async send(method: string, headers: readonly HeaderField[], target = "/") {
    const exchange = this.engine?.open({ method, target, headers: [["Host", "a.test"], ...headers] });
    if (exchange === undefined) throw new Error("no engine");
    const decision = await exchange.head();
    const fields =
      decision.outcome === "admit"
        ? exchange.respond({ status: 200, headers: [["Set-Cookie", "own=1"]] }).headers
        : decision.outcome === "continue"
          ? []
          : decision.responseHeaders;
    exchange.end(200);
    return { outcome: decision.outcome, fields, code: "code" in decision ? decision.code : undefined };
  }

  async token(who = "ann"): Promise<string> {
    const { fields } = await this.send("GET", [["Cookie", `sid=${who}`]]);
    return tokenIn(fields) ?? "";
  }

  async post(who: string, cookie: string | undefined, header: string | undefined): Promise<string> {
    const { outcome } = await this.send("POST", [
      ["Cookie", cookie === undefined ? `sid=${who}` : `sid=${who}; __Host-csrf=${cookie}`],
      ...(header === undefined ? [] : [["X-CSRF-Token", header] as const]),
    ]);
    return outcome;
  }
}

function tokenIn(fields: readonly HeaderField[]): string | undefined {
  const cookie = fields.find(([name, value]) => name === "Set-Cookie" && value.startsWith("__Host-"));
  return cookie === undefined ? undefined : /^__Host-csrf=([^;]+);/u.exec(cookie[1])?.[1];
}

describe("a token", () => {
  it("comes with a safe request, beside the handler's own cookies, and lets its principal in", async () => {
    const client = await Client.of();
    const { fields } = await client.send("GET", [["Cookie", "sid=ann"]]);
    const cookies = fields.filter(([name]) => name === "Set-Cookie").map(([, value]) => value);
    expect(cookies).toEqual([
      "own=1",
      expect.stringMatching(
        /^__Host-csrf=[0-9]+\.\S{22}\.\S{43}; Path=\/; Max-Age=3600; Secure; SameSite=Strict$/u,
      ),
    ]);
    const token = tokenIn(fields);
    expect(await client.post("ann", token, token)).toBe("admit");
  });

  it("must stand in both places, be whole, and be the caller's own", async () => {
    const client = await Client.of();
    const [ann, bob] = [await client.token("ann"), await client.token("bob")];
    expect([
      await client.post("ann", ann, undefined),
      await client.post("ann", undefined, ann),
      await client.post("ann", bob, bob),
      await client.post("ann", ann, bob),
      await client.post("ann", "", ""),
      await client.post("ann", "1.x.y", "1.x.y"),
      await client.post("ann", `${ann}; __Host-csrf=${ann}`, ann),
    ]).toEqual(Array(7).fill("refuse"));
  });

  it("is asked only where the browser says nothing: it excuses no other site", async () => {
    const client = await Client.of();
    const token = await client.token();
    const cookie: HeaderField = ["Cookie", `sid=ann; __Host-csrf=${token}`];
    const sent: HeaderField = ["X-CSRF-Token", token];
    const outcome = async (...more: HeaderField[]) =>
      (await client.send("POST", [cookie, sent, ...more])).outcome;
    expect(await outcome(["Sec-Fetch-Site", "cross-site"])).toBe("refuse");
    expect(await outcome(["Origin", "https://evil.test"])).toBe("refuse");
    expect((await client.send("POST", [cookie, ["Sec-Fetch-Site", "same-origin"]])).outcome).toBe("admit");
  });

  it("ends, and a new one comes when half of it is over", async () => {
    const client = await Client.of();
    const token = await client.token();
    const again = async () =>
      tokenIn((await client.send("GET", [["Cookie", `sid=ann; __Host-csrf=${token}`]])).fields);
    client.now = START + 1_799_000;
    expect(await again()).toBeUndefined();
    client.now = START + 1_801_000;
    expect(await again()).toBeDefined();
    client.now = START + 3_599_000;
    expect(await client.post("ann", token, token)).toBe("admit");
    client.now = START + 3_600_000;
    expect(await client.post("ann", token, token)).toBe("refuse");
  });

  it("of a key that was replaced is good while the key stands there, and no longer", async () => {
    const token = await (await Client.of(["env:OLD"])).token();
    expect(await (await Client.of(["env:NEW", "env:OLD"])).post("ann", token, token)).toBe("admit");
    expect(await (await Client.of(["env:NEW"])).post("ann", token, token)).toBe("refuse");
  });

  it("of a key that was replaced is followed by one of the new key at once", async () => {
    const token = await (await Client.of(["env:OLD"])).token();
    const both = await Client.of(["env:NEW", "env:OLD"]);
    const { fields } = await both.send("GET", [["Cookie", `sid=ann; __Host-csrf=${token}`]]);
    const next = tokenIn(fields) ?? "";
    expect(await (await Client.of(["env:NEW"])).post("ann", next, next)).toBe("admit");
  });

  it("is for nobody who is unknown, and comes with no unsafe request", async () => {
    const client = await Client.of();
    expect(tokenIn((await client.send("GET", [])).fields)).toBeUndefined();
    const own: HeaderField = ["Sec-Fetch-Site", "same-origin"];
    expect(tokenIn((await client.send("POST", [["Cookie", "sid=ann"], own])).fields)).toBeUndefined();
  });

  it("needs a key that nobody guesses", async () => {
    await expect(Client.of(["env:SHORT"])).rejects.toThrow(
      "`env:SHORT` holds 5 bytes, at least 32 are needed",
    );
    await expect(Client.of(["env:PUBLIC"])).rejects.toThrow(
      "`env:PUBLIC` holds a public or private key, not raw bytes",
    );
  });

  const shared = Client.of();
  test.prop([fc.nat({ max: 77 }), fc.constantFrom("A", "b", "0", "9", ".", "-")], { numRuns: 200 })(
    "no_other_text_is_a_token",
    async (at, character) => {
      const client = await shared;
      const token = await client.token();
      const changed = token.slice(0, at) + character + token.slice(at + 1);
      fc.pre(changed !== token);
      expect(await client.post("ann", changed, changed)).toBe("refuse");
    },
  );
});

describe("always", () => {
  it("asks who has no credential yet for the origin, so that no other site logs its visitor in", async () => {
    const client = await Client.of();
    const outcome = async (target: string, ...headers: HeaderField[]) =>
      (await client.send("POST", headers, target)).outcome;
    expect(await outcome("/login", ["Sec-Fetch-Site", "cross-site"])).toBe("refuse");
    expect(await outcome("/login", ["Origin", "https://evil.test"])).toBe("refuse");
    expect(await outcome("/login", ["Sec-Fetch-Site", "same-origin"])).toBe("admit");
    expect(await outcome("/login", ["Origin", "http://a.test"])).toBe("admit");
    expect(await outcome("/login")).toBe("admit");
    expect(await outcome("/strict")).toBe("refuse");
  });
});
