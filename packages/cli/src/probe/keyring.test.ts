/** What cannot be sent for want of a proof. */
import { resolveAuthenticators } from "@gatehouse/core/analysis";
import { expect, it } from "vitest";
import { Keyring, type KeyringParts } from "./keyring.js";

const NOTHING = {
  keys: new Map(),
  holders: new Map(),
  publicKeys: new Map(),
  signers: { messages: new Map(), webhooks: new Set<string>() },
  certificate: undefined,
  https: false,
};

function ringOf(policy: object, handed: Partial<KeyringParts> = {}): Keyring {
  return new Keyring({ ...NOTHING, policy: policy as KeyringParts["policy"], ...handed });
}

const opaque = {
  type: "introspection",
  url: "https://id.test/introspect",
  client: { id: "api", secret: { secret: "env:S" } },
  issuer: "https://id.test/",
  audience: "api",
  in: "header",
} as const;

it.each([
  [undefined, undefined],
  ["dpop", "tokens of `user` are bound to their sender's key"],
  ["mtls", "tokens of `user` are bound to their sender's key"],
] as const)(
  "an opaque token is no credential without what it is bound to: %s",
  (senderConstrained, lacks) => {
    const user = { ...opaque, ...(senderConstrained !== undefined && { senderConstrained }) };
    const document = { gatehouse: 1, name: "p", authenticators: { user }, routes: {} } as const;
    const policy = { authenticators: resolveAuthenticators(document) };
    const person = { authenticator: "user", id: "ann" };
    const ring = ringOf(policy, { holders: new Map([["ann", { person, credential: "token" }]]) });
    expect(ring.lacking(person, "ann")).toBe(lacks);
  },
);

it.each([
  [
    { type: "mtls", match: [{ id: "ann", fingerprint: "x" }] },
    "`user` wants a client's certificate, and none was handed over (`--cert`)",
  ],
  [
    { type: "signature" },
    "`user` wants a signature over the message, and no secret was handed over (`--key`)",
  ],
  [
    { type: "http-signature" },
    "`user` wants a signature over the message, and no key of that signer was handed over (`--key`)",
  ],
])("says what is lacking where it is no text that could be handed over: %j", (settings, lacks) => {
  const policy = { authenticators: new Map([["user", { name: "user", settings }]]) };
  const person = { authenticator: "user", id: "ann" };
  const ring = ringOf(policy, { holders: new Map([["ann", { person, credential: "x" }]]) });
  expect(ring.lacking(person, "ann")).toBe(lacks);
  expect(ring.lacking(person, undefined)).toBe(lacks);
});
