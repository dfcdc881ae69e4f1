import { scryptSync } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { definePolicy, PolicyError, type DecisionEvent, type PolicyDocument } from "../index.js";
import { policyKit, type KitOptions, type PolicyKit } from "./kit.js";
import { expectAdmitted, expectRefused, expectResult, matchers } from "./matchers.js";
import type { Expectation, TestPerson } from "./policy-test.gen.js";
import { PolicyTestError } from "./problems.js";
import { formatTrace } from "./trace.js";

declare module "vitest" {
  interface Matchers<T> {
    toBeAdmitted(expected?: Omit<Expectation, "outcome">): T;
    toBeRefused(expected?: Omit<Expectation, "outcome">): T;
  }
}

const policy = definePolicy({
  gatehouse: 1,
  name: "kit",
  authenticators: {
    user: {
      type: "jwt",
      issuer: "https://id.test/",
      audience: "api",
      algorithms: ["ES256"],
      keys: { jwks: "k.json" },
      principal: { id: "sub", roles: "roles" },
    },
  },
  roles: { clerk: [] },
  limits: { slots: { limit: 1, algorithm: "concurrency" }, two: { limit: 2, window: "1m" } },
  routes: {
    "* /echo": { authenticate: "none", request: { types: ["application/json", "text/plain"] } },
    "GET /clerks": {
      authorize: { roles: ["clerk"], check: "onDuty" },
      response: { body: { type: "object", properties: { id: { type: "string" } } } },
    },
    "GET /slow": { authenticate: "none", limits: ["slots"] },
    "GET /two": { authenticate: "none", limits: ["two"] },
    "OPTIONS /echo": { authenticate: "none" },
    "GET /machines": {
      authenticate: "none",
      authorize: {
        when: "has(request.tls.clientCertificate) && request.tls.clientCertificate.subject.endsWith(',O=Shop')",
      },
    },
    "GET /modern": { authenticate: "none", authorize: { when: "request.tls.protocol == 'TLSv1.3'" } },
  },
});

const kits: PolicyKit[] = [];
afterEach(async () => {
  for (const kit of kits.splice(0)) await kit.close();
});

async function kitFor(options: KitOptions = {}, document: PolicyDocument = policy): Promise<PolicyKit> {
  const kit = await policyKit(document, { people: { ann: { roles: ["clerk"] }, bob: {} }, ...options });
  kits.push(kit);
  return kit;
}

describe("callers who show more than a token", () => {
  const jwt = {
    type: "jwt",
    issuer: "https://id.test/",
    audience: "api",
    algorithms: ["ES256"],
    keys: { jwks: "k.json" },
  } as const;
  const asking = (authenticators: NonNullable<PolicyDocument["authenticators"]>) =>
    kitFor(
      { people: {} },
      { gatehouse: 1, name: "kit", authenticators, routes: { "GET /me": { authorize: "authenticated" } } },
    );

  it("send a proof with a token that is bound to a key", async () => {
    const nonce = { secret: "env:NONCE" };
    for (const senderConstrained of [
      "dpop",
      { type: "dpop", algorithms: ["EdDSA"], nonce, nonceLife: "1m" },
    ] as const) {
      const kit = await asking({ user: { ...jwt, senderConstrained } });
      for (let round = 0; round < 2; round += 1)
        expect(await kit.as({ id: "ann" }).get("/me?a=1")).toMatchObject({ outcome: "admit" });
      expect(await kit.as({ forged: true }).get("/me")).toMatchObject({ code: "invalid-credential" });
      expect(await kit.as({ claims: { cnf: null } }).get("/me")).toMatchObject({
        code: "invalid-credential",
      });
    }
  });

  it("show what an opaque token is bound to", async () => {
    const opaque = {
      type: "introspection",
      url: "https://id.test/introspect",
      client: { id: "api", secret: { secret: "env:CLIENT" } },
      issuer: "https://id.test/",
      audience: "api",
      in: "header",
    } as const;
    const nonce = { secret: "env:NONCE" };
    for (const senderConstrained of [
      "dpop",
      { type: "dpop", algorithms: ["EdDSA"], nonce, nonceLife: "1m" },
      "mtls",
    ] as const) {
      const kit = await asking({ user: { ...opaque, senderConstrained } });
      for (let round = 0; round < 2; round += 1)
        expect(await kit.as({ id: "ann" }).get("/me?a=1")).toMatchObject({
          handler: { principal: { id: "ann" } },
        });
      for (const spoilt of [
        { forged: true },
        { claims: { cnf: null } },
        { claims: { cnf: { jkt: "x" } } },
        { claims: { token_type: senderConstrained === "mtls" ? "DPoP" : "Bearer" } },
      ])
        expect(await kit.as(spoilt).get("/me")).toMatchObject({ code: "invalid-credential" });
    }
    const plain = await asking({ user: opaque });
    expect(await plain.as({ claims: { cnf: { jkt: "x" } } }).get("/me")).toMatchObject({
      code: "invalid-credential",
    });
  });

  const fingerprint = "ab".repeat(32);
  const device = {
    type: "mtls",
    match: [
      { subject: "CN=ann", id: "ann" },
      { san: "DNS:bob.test", fingerprint, id: "bob" },
    ],
  } as const;
  const bound = { ...jwt, senderConstrained: "mtls" } as const;
  const refused = { code: "invalid-credential" };

  it("show the certificate that an entry asks for", async () => {
    const kit = await asking({ device });
    for (const id of ["ann", "bob"])
      expect(await kit.as({ id }).get("/me")).toMatchObject({ handler: { principal: { id } } });
    expect(await kit.as({ id: "ann", forged: true }).get("/me")).toMatchObject(refused);
    const leaving = kit.as({ id: "ann", expires: "1h" });
    kit.clock.advance("59m");
    expect(await leaving.get("/me")).toMatchObject({ outcome: "admit" });
    kit.clock.advance("1m");
    expect(await leaving.get("/me")).toMatchObject(refused);
    expect(await kit.as({ id: "ann" }).get("/me", { https: false })).toMatchObject({ outcome: "refuse" });
    const tls = { clientCertificate: { subject: "CN=ann" } };
    expect(await kit.anonymous.get("/me", { tls })).toMatchObject({ outcome: "admit" });
  });

  it("show the certificate that a token is bound to, unless the request has another", async () => {
    const kit = await asking({ user: bound });
    const ann = kit.as({ id: "ann" });
    expect(await ann.get("/me")).toMatchObject({ handler: { principal: { id: "ann" } } });
    const tls = { clientCertificate: { subject: "CN=eve" } };
    expect(await ann.get("/me", { tls })).toMatchObject(refused);
    expect(await kit.as({ forged: true }).get("/me")).toMatchObject(refused);
    expect(await kit.as({ claims: { cnf: null } }).get("/me")).toMatchObject(refused);
  });

  it("have one certificate for all of their credentials", async () => {
    const kit = await kitFor(
      { people: {} },
      {
        gatehouse: 1,
        name: "kit",
        authenticators: { device, user: bound },
        routes: { "GET /me": { authenticate: [["device", "user"]], authorize: "authenticated" } },
      },
    );
    const person = (more: object) => kit.as({ credentials: { device: { id: "bob", ...more }, user: {} } });
    expect(await person({}).get("/me")).toMatchObject({ outcome: "admit" });
    expect(await person({ forged: true }).get("/me")).toMatchObject(refused);
    expect(await person({ expires: "0ms" }).get("/me")).toMatchObject(refused);
  });

  it("are known to code by their certificate", async () => {
    const kit = await asking({ code: { type: "custom", use: "code", in: "tls" } });
    expect(await kit.as({ id: "ann" }).get("/me")).toMatchObject({ handler: { principal: { id: "ann" } } });
    expect(await kit.as({ forged: true }).get("/me")).toMatchObject(refused);
  });

  const users = { secret: "env:USERS" } as const;

  it("send a password, each time with the rights of their own record", async () => {
    const kit = await kitFor(
      { people: {} },
      {
        gatehouse: 1,
        name: "kit",
        authenticators: { user: { type: "basic", users } },
        roles: { clerk: [] },
        routes: {
          "GET /me": { authorize: { roles: ["clerk"] } },
          "GET /own": { authorize: "authenticated" },
        },
      },
    );
    const ann = { id: "ann", roles: ["clerk"], attributes: { tenant: "acme" } };
    for (const person of [ann, { id: "ann" }, ann, { ...ann, id: "bob" }]) {
      const { outcome, code, decision } = await kit.as(person).get("/me");
      if (!("roles" in person)) expect(code).toBe("forbidden");
      else {
        expect(outcome).toBe("admit");
        expect(decision).toHaveProperty("principal.id", person.id);
        expect(decision).toHaveProperty("principal.tenant", "acme");
      }
    }
    expect(await kit.as({ ...ann, forged: true }).get("/own")).toMatchObject(refused);
    expect(await kit.as({ ...ann, routes: ["GET /own"] }).get("/me")).toMatchObject(refused);
    const leaving = kit.as({ ...ann, expires: "1h" });
    kit.clock.advance("59m");
    expect(await leaving.get("/own")).toMatchObject({ outcome: "admit" });
    kit.clock.advance("1m");
    expect(await leaving.get("/own")).toMatchObject(refused);
  });

  it("stand beside the users that a test hands over", async () => {
    const authorization = `Basic ${Buffer.from("eve:correct horse").toString("base64")}`;
    const scrypt = scryptSync("correct horse", "saltsalt", 32, { N: 2 ** 14, r: 8, p: 1 });
    const unpadded = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64").replaceAll("=", "");
    const record = {
      id: "eve",
      scrypt: `$scrypt$ln=14,r=8,p=1$${unpadded(Buffer.from("saltsalt"))}$${unpadded(scrypt)}`,
    };
    const kit = await kitFor(
      { people: {}, secrets: { "env:USERS": JSON.stringify([record]) } },
      {
        gatehouse: 1,
        name: "kit",
        authenticators: { user: { type: "basic", users } },
        routes: { "GET /me": { authorize: "authenticated" } },
      },
    );
    const eve = () => kit.anonymous.get("/me", { headers: { authorization } });
    expect(await eve()).toMatchObject({ outcome: "admit" });
    expect(await kit.as({ id: "ann" }).get("/me")).toMatchObject({ outcome: "admit" });
    expect(await eve()).toMatchObject({ outcome: "admit" });
    expect(await kit.as({ id: "eve" }).get("/me")).toMatchObject({ outcome: "admit" });
    expect(await eve()).toMatchObject(refused);
  });

  it("are told what credentials cannot be made", async () => {
    const kit = await asking({ device, user: { type: "basic", users } });
    const told = (person: TestPerson) => async () => kit.as(person).get("/me");
    await expect(told({ authenticator: "user", id: "a:b" })).rejects.toMatchObject({
      diagnostics: [
        {
          code: "unknown-value",
          message: "`id` has a colon or a control character, which Basic cannot say",
          help: "write another",
        },
      ],
    });
    await expect(told({ authenticator: "device", id: "eve", roles: [] })).rejects.toMatchObject({
      diagnostics: [
        {
          code: "conflicting-keys",
          pointer: "/somebody/1/roles",
          message:
            "what a holder has is what the policy says of the certificate: write the `id` of its entry",
        },
        {
          code: "unknown-value",
          pointer: "/somebody/1/id",
          message: "`match` of `device` has no entry of `eve`",
          help: "write the `id` of an entry",
        },
      ],
    });
  });
});

describe("a kit", () => {
  it("asks as people, whose requests the handler answers as the test says", async () => {
    const kit = await kitFor({ checks: { onDuty: ({ principal }) => principal?.id === "ann" } });
    const result = await kit
      .as("ann")
      .answering({ body: { id: "1", margin: 2 } })
      .get("/clerks");
    expect(result).toMatchObject({ outcome: "admit", status: 200, body: { id: "1" }, route: "GET /clerks" });
    expect(result.headers["content-type"]).toBe("application/json");
    expect(await kit.as("bob").get("/clerks")).toMatchObject({ code: "forbidden", status: 403 });
    expect(await kit.as({ id: "eve", roles: ["clerk"] }).get("/clerks")).toMatchObject({ stage: "check" });
    expect(await kit.anonymous.get("/clerks")).toMatchObject({ code: "unauthenticated" });
  });

  it.each(["get", "head", "options", "delete"] as const)("sends %s without a body", async (method) => {
    const kit = await kitFor();
    const result = await kit.anonymous[method]("/echo", { headers: { "X-One": "1" }, query: { a: "b c" } });
    expect(result).toMatchObject({ outcome: "admit", status: 204 });
    expect(result.request).toMatchObject({
      method: method.toUpperCase(),
      target: "/echo?a=b%20c",
      content: undefined,
    });
    expect(result.request.headers).toContainEqual(["X-One", "1"]);
  });

  it.each(["post", "put", "patch"] as const)("sends %s with one", async (method) => {
    const kit = await kitFor();
    const result = await kit.anonymous[method]("/echo", { n: 1 }, { ip: "2001:db8::1" });
    expect(result).toMatchObject({ outcome: "admit" });
    expect(result.request).toMatchObject({ method: method.toUpperCase(), ip: "2001:db8::1", https: true });
    expect(Buffer.from(result.request.content ?? []).toString()).toBe('{"n":1}');
    expect(result.request.headers).toContainEqual(["Content-Length", "7"]);
    const typed = await kit.anonymous[method]("/echo", undefined, {
      text: "x",
      headers: { "Content-Type": "text/plain" },
    });
    expect(typed.outcome).toBe("admit");
  });

  it("sends nothing of a body to HEAD", async () => {
    const kit = await kitFor();
    const result = await kit.anonymous.answering({ body: { id: "1" } }).head("/echo");
    expect(result).toMatchObject({ status: 200, text: "", body: undefined });
  });

  it("has a clock, and begins anew when it is told", async () => {
    const kit = await kitFor({ at: "2030-01-01T00:00:00Z" });
    expect(kit.clock.now()).toBe(Date.parse("2030-01-01T00:00:00Z"));
    const ask = () => kit.anonymous.get("/two");
    expectAdmitted(await ask());
    expectAdmitted(await ask());
    expectRefused(await ask(), { code: "rate-limited" });
    kit.clock.advance("1m");
    kit.clock.advance("6s");
    expectAdmitted(await ask());
    kit.reset();
    expect(kit.clock.now()).toBe(Date.parse("2030-01-01T00:00:00Z"));
    expectAdmitted(await ask());
    expectAdmitted(await ask());
    expectRefused(await ask(), { code: "rate-limited" });
    expect(() => kit.clock.advance("soon")).toThrow(
      "`soon` does not fit here: write a duration such as `10s`",
    );
  });

  it("holds an exchange open until it is released", async () => {
    const seen: DecisionEvent[] = [];
    const kit = await kitFor({ onDecision: (_result, event) => void seen.push(event) });
    const held = await kit.anonymous.get("/slow", { hold: true });
    expect(held.outcome).toBe("admit");
    expectRefused(await kit.anonymous.get("/slow"), { code: "rate-limited" });
    expect(seen).toHaveLength(1);
    held.release();
    held.release();
    expect(seen).toHaveLength(2);
    expectAdmitted(await kit.anonymous.get("/slow"));
  });

  it("takes what every request has from `requests`", async () => {
    const kit = await kitFor({
      requests: { host: "other.test", https: false, ip: "198.51.100.1", headers: { "X-A": "1" } },
    });
    const refused = await kit.anonymous.get("/echo");
    expectRefused(refused, { code: "https-required" });
    expect(refused.request).toMatchObject({ ip: "198.51.100.1", https: false });
    expect(refused.request.headers).toEqual([
      ["Host", "other.test"],
      ["X-A", "1"],
    ]);
    expectAdmitted(await kit.anonymous.get("/echo", { https: true }));
  });

  it("comes with the TLS session that a test says", async () => {
    const { anonymous } = await kitFor();
    const of = (subject: string) => ({ tls: { clientCertificate: { subject } } });
    expectAdmitted(await anonymous.get("/machines", of("CN=till,O=Shop")));
    expectRefused(await anonymous.get("/machines", of("CN=till,O=Else")), { stage: "authorize" });
    expectRefused(await anonymous.get("/machines"), { stage: "authorize" });
    expectAdmitted(await anonymous.get("/modern"));
    expectRefused(await anonymous.get("/modern", { tls: { protocol: "TLSv1.2" } }), { stage: "authorize" });
  });

  it("decides as a server's framework matches", async () => {
    const kit = await kitFor({ matching: { caseSensitive: false, trailingSlash: "ignored" } });
    expectAdmitted(await kit.anonymous.get("/ECHO/"));
    expectRefused(await (await kitFor()).anonymous.get("/ECHO/"), { code: "not-found" });
  });

  it.each<[string, () => Promise<unknown>, string | RegExp]>([
    [
      "an option",
      () => kitFor({ peple: {} } as KitOptions),
      "unknown option `peple`: did you mean `people`?",
    ],
    [
      "a person",
      async () => (await kitFor()).as("an"),
      "nobody in `people` is called `an`: did you mean `ann`?",
    ],
    ["a key of a person", () => kitFor({ people: { a: { rolse: [] } as object } }), "unknown key `rolse`"],
    ["a key of a stranger", async () => (await kitFor()).as({ rolse: [] } as object), "unknown key `rolse`"],
    ["a role", async () => (await kitFor()).as({ roles: ["clark"] }), "did you mean `clerk`?"],
    ["a check", () => kitFor({ checks: { onDuti: true } }), "did you mean `onDuty`?"],
    ["an instant", () => kitFor({ at: "now" }), "`now` does not fit here: write an instant such as"],
    [
      "a key of a request",
      async () => (await kitFor()).anonymous.request({ target: "/", metod: "x" } as never),
      "unknown key `metod`",
    ],
    [
      "an option of a request",
      async () => (await kitFor()).anonymous.get("/", { header: {} } as never),
      "did you mean `headers`?",
    ],
    [
      "a key of an answer",
      async () => (await kitFor()).anonymous.answering({ statsu: 1 } as never),
      "did you mean `status`?",
    ],
    [
      "a policy that cannot be served",
      () => policyKit({ ...policy, routes: { x: {} } }),
      "the policy cannot be served",
    ],
  ])("refuses %s that nobody knows", async (_what, ask, message) => {
    await expect(ask).rejects.toThrow(message);
  });

  it("tells which kind of problem it is", async () => {
    await expect(kitFor({ checks: { x: true } })).rejects.toThrow(PolicyTestError);
    await expect(kitFor({}, { ...policy, gatehouse: 2 as never })).rejects.toThrow(PolicyError);
  });
});

describe("assertions", () => {
  const ask = async () => (await kitFor({ checks: { onDuty: true } })).as("bob").get("/clerks");

  it("hold where it is so", async () => {
    const result = await ask();
    expectRefused(result);
    expectRefused(result, { status: 403, code: "forbidden", rule: "/routes/GET ~1clerks" });
    expectResult(result, { outcome: "refuse", headers: { "Cache-Control": "no-store" } });
  });

  it("show what differs, and the trace", async () => {
    const result = await ask();
    expect(() => expectAdmitted(result)).toThrow(
      'outcome: expected "admit", got "refuse"\n\nas bob: GET /clerks\nrefuse 403',
    );
    expect(() => expectRefused(result, { status: 401 })).toThrow("status: expected 401, got 403");
    expect(() => expectRefused(result, { status: 401 })).toThrow(formatTrace(result.trace));
    expect(() => expectResult(result, { outcome: "answer" })).toThrow(/^outcome: expected "answer"/u);
    try {
      expectAdmitted(result);
    } catch (error) {
      expect(error).toMatchObject({ name: "AssertionError" });
    }
  });

  it("are closed: a typo is no expectation", async () => {
    const result = await ask();
    expect(() => expectRefused(result, { statsu: 403 } as object)).toThrow("did you mean `status`?");
    expect(() => matchers.toBeRefused(result, { statsu: 403 } as object)).toThrow("did you mean `status`?");
  });

  it("are matchers of a runner too", async () => {
    expect.extend(matchers);
    const result = await ask();
    expect(result).toBeRefused({ status: 403 });
    expect(result).not.toBeRefused({ status: 401 });
    expect(() => expect(result).toBeAdmitted()).toThrow('outcome: expected "admit", got "refuse"\n\nas bob');
    expect(() => expect(result).not.toBeRefused()).toThrow("expected something else to come of it\n\nas bob");
  });
});
