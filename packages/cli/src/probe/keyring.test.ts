/** What cannot be sent for want of a proof. */
import { resolveAuthenticators } from "@gatehouse/core/analysis";
import { expect, it } from "vitest";
import { Keyring } from "./keyring.js";

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
    const holders = new Map([["ann", { person, credential: "token" }]]);
    const ring = new Keyring(
      policy as unknown as ConstructorParameters<typeof Keyring>[0],
      new Map(),
      holders,
      new Map(),
    );
    expect(ring.lacking(person, "ann")).toBe(lacks);
  },
);

it.each([
  [
    { type: "mtls", match: [{ id: "ann", fingerprint: "x" }] },
    "`user` wants a client's certificate, and a probe shows none",
  ],
  [{ type: "signature" }, "`user` wants a signature over the message, and a probe makes none"],
  [{ type: "http-signature" }, "`user` wants a signature over the message, and a probe makes none"],
])("says what is lacking where it is no text that could be handed over: %j", (settings, lacks) => {
  const authenticators = new Map([["user", { name: "user", settings }]]);
  const policy = { authenticators } as unknown as ConstructorParameters<typeof Keyring>[0];
  const person = { authenticator: "user", id: "ann" };
  const ring = new Keyring(policy, new Map(), new Map([["ann", { person, credential: "x" }]]), new Map());
  expect(ring.lacking(person, "ann")).toBe(lacks);
  expect(ring.lacking(person, undefined)).toBe(lacks);
});
