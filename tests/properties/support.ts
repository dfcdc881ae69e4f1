/** A policy that uses every room, and one exchange through it from open to end. */
import type { Decision, Engine, PolicyDocument, RawRequest, ShapedResponse } from "@gatehouse/core";

export interface Finished {
  readonly decision: Decision;
  readonly shaped: ShapedResponse | undefined;
}

/** The way an adapter goes; `answer` is what the handler gives if it runs. */
export async function through(
  engine: Pick<Engine, "open">,
  request: RawRequest & { readonly body?: string },
  answer: { readonly status?: number; readonly body?: unknown } = {},
): Promise<Finished> {
  const exchange = engine.open(request);
  try {
    const head = await exchange.head();
    const bytes = Buffer.from(request.body ?? "");
    const decision = head.outcome === "continue" ? await exchange.body({ bytes, complete: true }) : head;
    if (decision.outcome !== "admit") {
      exchange.end(decision.status);
      return { decision, shaped: undefined };
    }
    const shaped = exchange.respond({
      status: answer.status ?? 200,
      headers: [["Content-Type", "application/json"]],
      body: answer.body ?? { ok: true },
    });
    exchange.end(shaped.status);
    return { decision, shaped };
  } finally {
    exchange.end(0);
  }
}

export const KEY = "a-long-enough-api-key";

/** Lower-case hex SHA-256 of `KEY`. */
export const KEY_SHA256 = "62ae86d6d227488219a18b78dc1ea9d9b38a2ff59bb84e1e31b617785115fb26";

export const policy: PolicyDocument = {
  gatehouse: 1,
  name: "everything",
  transport: { https: "off", hosts: ["a.test"] },
  cors: { origins: ["https://shop.test"] },
  authenticators: {
    key: { type: "api-key", in: "header", name: "X-API-Key", keys: { lookup: "find" } },
    own: { type: "custom", use: "own", in: "header", name: "X-Own" },
    user: {
      type: "jwt",
      issuer: "https://id.test/",
      audience: "api",
      algorithms: ["HS256"],
      keys: { secret: "env:SIGNING" },
    },
  },
  roles: { admin: [], customer: [] },
  limits: {
    all: { limit: 1000, window: "1m", by: "client.ip" },
    mine: { limit: 1000, window: "1m", by: "principal.id", onStoreFailure: "closed" },
    tries: { limit: 1000, window: "1m", by: "client.ip", count: "failures", onStoreFailure: "closed" },
    named: { limit: 1000, window: "1m", by: "body.name", onStoreFailure: "closed" },
    flight: { limit: 1000, algorithm: "concurrency", by: "principal.id", onStoreFailure: "closed" },
  },
  redaction: { key: { secret: "env:REDACTION" } },
  routes: {
    "POST /things/:id": {
      authenticate: ["key", "own", "user"],
      authorize: { roles: ["customer"], when: "params.id != 'x'", check: ["first", "second"] },
      limits: ["tries", "mine", "named", "flight"],
      request: {
        body: {
          type: "object",
          required: ["name"],
          properties: { name: { type: "string", maxLength: 20 }, count: { type: "integer" } },
        },
      },
      response: {
        body: { type: "object", properties: { ok: { type: "boolean" }, mail: { type: "string" } } },
        redact: { "/mail": "hash" },
      },
    },
    "GET /open": { authenticate: "none", limits: ["tries"] },
  },
};
