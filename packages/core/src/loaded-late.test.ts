/** Parts that are loaded with the first policy that asks for them: one that cannot be loaded refuses the policy. */
import { beforeAll, describe, expect, it, vi } from "vitest";
import { createEngine } from "./index.js";
import type * as Whole from "./index.js";

const document = (more: object, route: object): object => ({
  gatehouse: 1,
  name: "late",
  transport: { https: "off" },
  defaults: { authenticate: "none" },
  routes: { "POST /a": route },
  ...more,
});
const BODY = { type: "object", properties: { a: { type: "string" } } };
const behind = (authenticator: object): object =>
  document({ authenticators: { who: authenticator }, defaults: {} }, { authorize: "authenticated" });
const JWT = {
  type: "jwt",
  issuer: "i",
  audience: "a",
  algorithms: ["HS256"],
  keys: { secret: "test:key" },
};

const PARTS: readonly (readonly [part: string, path: string, policy: object])[] = [
  ["what shapes answers", "./kinds/redact/compile.js", document({}, { response: { body: BODY } })],
  [
    "what shapes answers of one status",
    "./kinds/redact/compile.js",
    document({}, { response: { bodies: { "200": BODY } } }),
  ],
  [
    "what takes parts out of answers",
    "./kinds/redact/compile.js",
    document({}, { response: { redact: { "/a": "remove" } } }),
  ],
  [
    "what a group says of answers",
    "./kinds/redact/compile.js",
    document({ groups: { "/a": { response: { body: BODY } } } }, {}),
  ],
  ["what shuts answers", "./kinds/redact/compile.js", document({}, { response: false })],
  ["what shapes events", "./kinds/redact/compile.js", document({}, { response: { events: BODY } })],
  ["schemas", "./schemas/index.js", document({}, { request: { body: BODY } })],
  [
    "sanitizing",
    "./kinds/sanitize/compile.js",
    document({}, { response: { body: BODY, sanitize: { "/a": "text" } } }),
  ],
  ["shedding", "./kinds/shed/compile.js", document({ shed: { signal: "concurrency", limit: 9 } }, {})],
  [
    "API keys",
    "./kinds/authenticate/seldom.js",
    behind({ type: "api-key", in: "header", name: "X-Key", keys: [{ id: "k", sha256: "0".repeat(64) }] }),
  ],
  ["proofs", "./kinds/authenticate/seldom.js", behind({ ...JWT, senderConstrained: "dpop" })],
];

const options = { secrets: { get: () => "k".repeat(32) } };

describe("a part that can be loaded", () => {
  it.each(PARTS)("serves a policy that asks for it: %s", async (_part, _path, policy) => {
    const engine = await createEngine(policy as never, options);
    await engine.close();
  });
});

describe("a part that cannot be loaded", () => {
  let broken: typeof Whole;

  beforeAll(async () => {
    vi.resetModules();
    for (const path of [...PARTS.map(([, one]) => one), "./shadow/begin.js", "./change/poll.js"]) {
      vi.doMock(path, () => {
        throw new Error(`${path} is gone`);
      });
    }
    broken = await import("./index.js");
  });

  it.each(PARTS)("refuses a policy that asks for it: %s", async (_part, path, policy) => {
    const refused: unknown = await broken
      .createEngine(policy as never, options)
      .catch((error: unknown) => error);
    expect(refused instanceof Error && String(refused.cause)).toContain(`${path} is gone`);
  });

  it("leaves an engine as it is that was to be shadowed, or to follow a policy", async () => {
    const policy = document({}, {}) as never;
    const engine = await broken.createEngine(policy);
    await expect(engine.shadow(policy, { onDifference: () => undefined })).rejects.toThrow("mocking");
    await expect(broken.pollPolicy(engine, "https://policies.example/a")).rejects.toThrow("mocking");
    const asked = { method: "POST", target: "/a", headers: [["Host", "api.example"]] } as const;
    expect((await engine.evaluate(asked)).outcome).toBe("admit");
    await engine.close();
  });
});
