/** Keys of those who sign messages: whose they are, and what the engine is told in their place. */
import { describe, expect, it } from "vitest";
import { definePolicy } from "@gatehouse/core";
import { ecPair, ed25519Pair } from "../../lib/key-pair.js";
import { readSigners } from "./signers.js";

const first = ecPair("P-256");
const second = ed25519Pair();
const pem = (pair: typeof first): string =>
  pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();

const POLICY = definePolicy({
  gatehouse: 1,
  name: "signed",
  authenticators: {
    many: {
      type: "http-signature",
      keys: [
        {
          keyid: "first",
          algorithm: "ecdsa-p256-sha256",
          key: { pem: first.publicKey.export({ type: "spki", format: "pem" }).toString() },
          id: "ann",
        },
        {
          keyid: "second:2",
          algorithm: "ed25519",
          key: { jwk: { ...second.publicKey.export({ format: "jwk" }) } },
          id: "bob",
        },
        {
          keyid: "shared",
          algorithm: "hmac-sha256",
          key: { secret: "env:SHARED" },
          secretEncoding: "hex",
          id: "eve",
        },
      ],
    },
    hook: { type: "signature", preset: "github", secrets: [{ secret: "env:HOOK" }, { secret: "env:OLD" }] },
  },
  routes: { "POST /a": { authenticate: ["hook"], authorize: "authenticated", request: { body: {} } } },
});

const idOf = (keys: Readonly<Record<string, string>>): string | undefined =>
  readSigners(POLICY, keys).messages.get("many")?.id;

describe("of several keys", () => {
  it("is the one whose public half the policy has, or that is named", () => {
    expect(idOf({ many: pem(first) })).toBe("ann");
    expect(idOf({ many: pem(second) })).toBe("bob");
    expect(idOf({ many: JSON.stringify(second.privateKey.export({ format: "jwk" })) })).toBe("bob");
    expect(idOf({ "many:second:2": pem(second) })).toBe("bob");
    expect(idOf({ "many:shared": "00".repeat(32) })).toBe("eve");
  });

  it.each([
    ["none that is known", { many: pem(ecPair("P-256")) }, "`--key` does not say which key of `many` it is"],
    ["a name that nobody has", { "many:frist": pem(first) }, "`many` has no key `frist`"],
    [
      "another kind of key than its own",
      { "many:first": pem(second) },
      "the key in `many` signs with none of the authenticator's algorithms",
    ],
    ["no key", { "many:first": "canary" }, "`many` holds no private key"],
    [
      "two at once",
      { "many:first": pem(first), "many:second:2": pem(second) },
      "two keys are given for `many`",
    ],
  ])("is not %s", (_what, keys, message) => {
    expect(() => readSigners(POLICY, keys)).toThrow(message);
    expect(() => readSigners(POLICY, keys)).not.toThrow("canary");
  });
});

it("the engine is told of the same secret, and of one of the probe's in place of a public key", () => {
  const shared = readSigners(POLICY, { "many:shared": `${"ab".repeat(32)}\n`, hook: "hook-secret\r\n" });
  expect(shared.secrets).toEqual({ "env:SHARED": "ab".repeat(32), "env:HOOK": "hook-secret" });
  expect(shared.messages.get("many")?.wire).toEqual({
    alg: "HS256",
    kid: undefined,
    key: Buffer.alloc(32, 0xab),
  });
  expect(shared.messages.get("many")?.judge).toBe(shared.messages.get("many")?.wire);
  expect([...shared.webhooks]).toEqual(["hook"]);
  const { document, secrets, messages } = readSigners(POLICY, { many: pem(first) });
  const [secret = ""] = Object.values(secrets);
  expect(document.authenticators?.["many"]).toMatchObject({
    keys: [{ keyid: "first", id: "ann", algorithm: "hmac-sha256", key: { secret: Object.keys(secrets)[0] } }],
  });
  expect(messages.get("many")).toMatchObject({ judge: { key: Buffer.from(secret) }, wire: { alg: "ES256" } });
  expect(readSigners(POLICY, {}).document).toEqual(POLICY);
});
