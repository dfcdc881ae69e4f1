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
