import { describe, expect, it } from "vitest";
import { check } from "./check.js";
import { formatJson } from "./json.js";
import { formatPretty } from "./pretty.js";
import { formatSarif } from "./sarif.js";

const SECRET = "canary-4711-do-not-print";

const policyWith = (keys: unknown, type = "jwt"): Record<string, unknown> => ({
  gatehouse: 1,
  name: "notes",
  oops: true,
  authenticators: {
    user:
      type === "jwt"
        ? { type, issuer: "https://id.example/", audience: "notes", algorithms: ["ES256"], keys }
        : { type, in: "header", name: "X-Key", keys },
  },
  redaction: { key: "env:KEY" },
  routes: { "GET /": { authorize: "authenticated" } },
});

const jwk = { kty: "EC", crv: "P-256", x: "AA", y: "AA", d: SECRET };
const texts: readonly (readonly [string, string])[] = [
  ["in one line", JSON.stringify(policyWith({ secret: SECRET }))],
  ["in many lines", JSON.stringify(policyWith({ jwks: { keys: [jwk] } }), null, 2)],
  ["a private JWK in one line", JSON.stringify(policyWith({ jwks: { keys: [jwk] } }))],
  [
    "behind a comment",
    JSON.stringify(policyWith({ secret: SECRET })).replace('"secret":', '"secret": /* , */ '),
  ],
  ["a text where a reference belongs", JSON.stringify(policyWith(SECRET))],
  ["of API keys", JSON.stringify(policyWith(SECRET, "api-key"))],
];

describe("a secret that stands in a policy", () => {
  it.each(texts)("%s is never printed", (_name, text) => {
    const checked = [{ file: "policy.json", text, diagnostics: check(text, "policy.json") }];
    expect(checked[0]?.diagnostics.map(({ code }) => code)).toContain("literal-secret");
    const pretty = formatPretty(checked);
    expect(pretty).toContain("***");
    for (const told of [pretty, formatJson(checked), formatSarif(checked)])
      expect(told).not.toContain(SECRET);
  });
});
