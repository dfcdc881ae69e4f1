// What one warm decision leaves to the garbage collector, and that it makes no promise.
import { strict as assert } from "node:assert";
import { createEngine } from "@gatehouse/core";
import { median, promisesMade } from "../lib/compare.mjs";
import { bearer, decide, fields, request } from "../lib/requests.mjs";
import { authenticator, claimsOf, keyFor, SECRETS } from "../lib/tokens.mjs";

export const title = "Allocation";

const CALLS = 500;

const policy = (key) => ({
  gatehouse: 1,
  name: "bench-allocation",
  transport: { https: "off" },
  authenticators: { user: authenticator(key) },
  roles: { customer: [], clerk: [] },
  limits: { "per-ip": { limit: 1e9, window: "1h", by: "client.ip" } },
  cors: { origins: ["https://shop.example.com"] },
  routes: {
    "GET /open": { authenticate: "none" },
    "GET /known": { authorize: "authenticated" },
    "GET /role": { authorize: { roles: ["customer"] } },
    "GET /condition/:tenant": {
      authorize: { roles: ["customer"], when: "principal.tenant == params.tenant" },
    },
    "GET /limit": { authenticate: "none", limits: ["per-ip"] },
    "GET /clerks": { authorize: { roles: ["clerk"] } },
    "POST /body": {
      authenticate: "none",
      request: { body: { type: "object", properties: { sku: { type: "string" } } } },
    },
    "GET /answer": {
      authenticate: "none",
      response: { body: { type: "object", properties: { id: { type: "string" } } } },
    },
  },
});

/** Bytes a call, the median of some counts: the collector may run in the middle of one. */
function bytesOf(run, short) {
  for (let index = 0; index < (short ? 50 : 30_000); index++) run();
  const counts = [];
  for (let round = 0; round < (short ? 1 : 9); round++) {
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    for (let index = 0; index < CALLS; index++) run();
    counts.push((process.memoryUsage().heapUsed - before) / CALLS);
  }
  return median(counts);
}

function ways(engine, key) {
  const token = key.mint(claimsOf());
  const bytes = Buffer.from('{"sku":"LAMP-0007"}');
  const post = request(
    "POST",
    "/body",
    fields("Content-Type", "application/json", "Content-Length", String(bytes.length)),
  );
  const cors = request("GET", "/open", fields("Origin", "https://shop.example.com"));
  const asked = (raw) => () => decide(engine, raw);
  const answered = request("GET", "/answer");
  const preflight = request(
    "OPTIONS",
    "/open",
    fields("Origin", "https://shop.example.com", "Access-Control-Request-Method", "GET"),
  );
  return [
    ["an open route", "admit", asked(request("GET", "/open"))],
    ["from another origin", "admit", asked(cors)],
    ["with a limit", "admit", asked(request("GET", "/limit"))],
    ["with a token seen before", "admit", asked(bearer("/known", token))],
    ["with a role", "admit", asked(bearer("/role", token))],
    ["with a role and a condition", "admit", asked(bearer("/condition/acme", token))],
    [
      "with a body",
      "admit",
      () => {
        const exchange = engine.open(post);
        exchange.head();
        const decided = exchange.body({ bytes, complete: true });
        exchange.end(200);
        return decided;
      },
    ],
    [
      "with an answer that is projected",
      "admit",
      () => {
        const exchange = engine.open(answered);
        const decided = exchange.head();
        exchange.respond({ status: 200, headers: [], body: { id: "1", secret: "s" } });
        exchange.end(200);
        return decided;
      },
    ],
    ["a preflight", "answer", asked(preflight)],
    ["refused: no token", "refuse", asked(request("GET", "/known"))],
    ["refused: not the role", "refuse", asked(bearer("/clerks", token))],
    ["refused: no such route", "refuse", asked(request("GET", "/nowhere"))],
  ];
}

export async function run({ short }) {
  const key = keyFor("HS256");
  const engine = await createEngine(policy(key), { secrets: SECRETS });
  const rows = [];
  const failed = [];
  for (const [what, outcome, run] of ways(engine, key)) {
    assert.equal(run().outcome, outcome, what);
    const bytes = bytesOf(run, short);
    const promises = await promisesMade(run);
    if (promises > 0) failed.push(`a warm decision (${what}) made ${promises} promises`);
    rows.push([what, String(Math.round(bytes)), String(promises)]);
  }
  // Or the count of promises could see none.
  if ((await promisesMade(() => Promise.resolve())) === 0)
    failed.push("the count of promises sees no promise");
  await engine.close();
  return {
    tables: [{ caption: "One warm decision", columns: ["decision", "bytes", "promises"], rows }],
    targets: [],
    notes: globalThis.gc === undefined ? ["Bytes without --expose-gc mean nothing."] : [],
    failed,
  };
}
