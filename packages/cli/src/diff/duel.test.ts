/** What both policies are asked is one request, over one connection. */
import { definePolicy } from "@gatehouse/core";
import { expect, it } from "vitest";
import { Duel } from "./duel.js";

const policy = definePolicy({
  gatehouse: 1,
  name: "bound",
  authenticators: {
    user: {
      type: "jwt",
      issuer: "https://id.test/",
      audience: "bound",
      algorithms: ["HS256"],
      keys: { secret: "env:KEY" },
      senderConstrained: "mtls",
    },
    device: { type: "mtls", match: [{ san: "DNS:ann.test", id: "ann" }] },
  },
  routes: {
    "GET /user": { authenticate: ["user"], authorize: "authenticated" },
    "GET /device": { authenticate: ["device"], authorize: "authenticated" },
  },
});

it("shows the certificate of the one side's person to the other", async () => {
  const duel = await Duel.between(policy, policy);
  try {
    for (const authenticator of ["user", "device"])
      for (const by of ["old", "new"] as const) {
        const person = { id: "ann", authenticator };
        const request = { method: "GET", target: `/${authenticator}` };
        const exchange = await duel.ask({ by, person, request });
        expect([exchange?.old, exchange?.new]).toMatchObject([
          { result: { outcome: "admit" } },
          { result: { outcome: "admit" } },
        ]);
      }
  } finally {
    await duel.close();
  }
});
