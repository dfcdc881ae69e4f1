/** People who sign what they send: the kit's signatures are good under the policy's own rules. */
import { describe, expect, it } from "vitest";
import type { PolicyDocument } from "../index.js";
import { policyKit } from "./index.js";

const POLICY = {
  gatehouse: 1,
  name: "t",
  authenticators: {
    stripe: { type: "signature", preset: "stripe", secrets: [{ secret: "env:STRIPE" }] },
    github: { type: "signature", preset: "github", secrets: [{ secret: "env:GITHUB" }] },
    slack: { type: "signature", preset: "slack", secrets: [{ secret: "env:SLACK" }] },
    std: { type: "signature", preset: "standard-webhooks", secrets: [{ secret: "env:STD" }] },
    peer: {
      type: "http-signature",
      keys: [
        { keyid: "a", algorithm: "ed25519", key: { pem: { secret: "env:PEM" } }, id: "ann" },
        { keyid: "b", algorithm: "hmac-sha256", key: { secret: "env:SHARED" }, id: "bob" },
      ],
    },
  },
  routes: Object.fromEntries(
    ["stripe", "github", "slack", "std", "peer"].map((name) => [
      `POST /${name}`,
      { authenticate: [name], authorize: "authenticated" },
    ]),
  ),
} as unknown as PolicyDocument;

describe("a person with a signing authenticator", () => {
  it.each([
    ["stripe", {}],
    ["github", {}],
    ["slack", {}],
    ["std", {}],
    ["peer", { id: "ann" }],
    ["peer", { id: "bob" }],
  ])("%s signs, and one that is forged does not", async (authenticator, more) => {
    const kit = await policyKit(POLICY);
    try {
      const send = (person: object) =>
        kit
          .as({ authenticator, ...more, ...person })
          .request({ method: "POST", target: `/${authenticator}`, body: { n: 1 } });
      expect((await send({})).decision.outcome).toBe("admit");
      expect((await send({ forged: true })).decision).toMatchObject({ code: "invalid-credential" });
      if (authenticator !== "github")
        expect((await send({ expires: "-1h" })).decision).toMatchObject({ code: "invalid-credential" });
    } finally {
      await kit.close();
    }
  });
});
