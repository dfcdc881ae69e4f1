/** Parts that are loaded with the first policy that asks for them: one that cannot be loaded refuses the policy. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { PolicyError } from "./errors/diagnostics.js";

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
  ["what shuts answers", "./kinds/redact/compile.js", document({}, { response: false })],
  ["what shapes events", "./kinds/redact/compile.js", document({}, { response: { events: BODY } })],
  ["schemas", "./schemas/index.js", document({}, { request: { body: BODY } })],
  [
    "sanitizing",
    "./kinds/sanitize/compile.js",
    document({}, { request: { body: BODY, sanitize: { "/a": "text" } } }),
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

afterEach(() => {
  vi.resetModules();
});

describe("a part that cannot be loaded", () => {
  it.each(PARTS)("%s", async (_part, path, policy) => {
    vi.resetModules();
    const whole = await import("./engine.js");
    const engine = await whole.createEngine(policy as never, options);
    await engine.close();
    vi.resetModules();
    vi.doMock(path, () => {
      throw new Error("the file is gone");
    });
    const { createEngine } = await import("./engine.js");
    const refused = createEngine(policy as never, options).then(
      () => "served",
      (error: unknown) => (error instanceof PolicyError ? "wrong" : "refused"),
    );
    expect(await refused).toBe("refused");
    vi.doUnmock(path);
  });
});
