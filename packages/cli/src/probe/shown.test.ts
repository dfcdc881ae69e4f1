/** What is printed of a request. */
import { expect, it } from "vitest";
import { analyse } from "@gatehouse/core/analysis";
import { definePolicy } from "@gatehouse/core";
import { shownRequest } from "./shown.js";

const { policy } = analyse(
  definePolicy({
    gatehouse: 1,
    name: "shown",
    transport: { trust: { peers: ["loopback"], header: "x-forwarded-for", clientCert: "X-Caller" } },
    authenticators: {
      key: { type: "api-key", in: "header", name: "X-Key", keys: { secret: "env:KEYS" } },
      query: {
        type: "api-key",
        in: "query",
        name: "key",
        keys: { secret: "env:KEYS" },
      },
    },
    routes: { "GET /a": { authenticate: ["key"], authorize: "authenticated" } },
  }),
);

it("tells no credential, and no value of a field that was handed over", () => {
  const headers = [
    ["Host", "a.test"],
    ["Authorization", "Bearer canary-1"],
    ["X-Key", "canary-2"],
    ["Cookie", "session=canary-3"],
    ["X-Own", "canary-4"],
    ["DPoP", "canary-6"],
    ["Signature", "sig1=:canary-7:"],
    ["Client-Cert", ":canary-8:"],
    ["X-Caller", ":canary-9:"],
    ["Origin", "null"],
    ["User-Agent", "dull"],
  ] as const;
  const shown = shownRequest(
    { method: "GET", target: "/a?b=1&key=canary-5&c=2", headers },
    policy,
    new Set(["x-own"]),
  );
  expect(shown).toBe(
    "GET /a?b=1&key=…&c=2 HTTP/1.1\nHost: a.test\nAuthorization: Bearer …\nX-Key: …\nCookie: …\nX-Own: …\nDPoP: …\nSignature: …\nClient-Cert: …\nX-Caller: …\nOrigin: null",
  );
});

it("cuts what is long", () => {
  const shown = shownRequest(
    { method: "GET", target: `/${"a".repeat(1000)}`, headers: [] },
    policy,
    new Set(),
  );
  expect(shown.length).toBeLessThan(300);
});
