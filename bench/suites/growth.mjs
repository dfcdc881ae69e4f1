// Cost of one decision against what a policy or a request may have more of. What should be flat is asked to be: another route's schemas, and
// roles that nobody asks for, cost nothing.
import { strict as assert } from "node:assert";
import { createEngine } from "@gatehouse/core";
import { bearer, decide, fields, request } from "../lib/requests.mjs";
import { sideBySide } from "../lib/side-by-side.mjs";
import { times } from "../lib/target.mjs";
import { authenticator, claimsOf, keyFor, SECRETS } from "../lib/tokens.mjs";

export const title = "Growth of one decision";

const numbers = (count) => Array.from({ length: count }, (_, index) => index);

const base = (routes, more = {}) => ({
  gatehouse: 1,
  name: "bench-growth",
  transport: { https: "off" },
  defaults: { authenticate: "none" },
  routes,
  ...more,
});

const schemaAt = (index) => ({
  type: "object",
  required: ["sku"],
  properties: { sku: { type: "string", maxLength: 20 + index } },
});

function withBody(engine, target, value) {
  const bytes = Buffer.from(JSON.stringify(value));
  const headers = fields("Content-Type", "application/json", "Content-Length", String(bytes.length));
  const raw = { ...request("POST", target, headers) };
  return () => {
    const exchange = engine.open(raw);
    exchange.head();
    const decided = exchange.body({ bytes, complete: true });
    exchange.end(200);
    return decided;
  };
}

const SUBJECTS = {
  routes: {
    sizes: [1, 10, 100, 1000, 5000],
    flat: true,
    prepare: async (count) => {
      const engine = await createEngine(
        base(Object.fromEntries(numbers(count).map((n) => [`GET /area${n % 17}/things${n}/:id`, {}]))),
      );
      const last = count - 1;
      const raw = request("GET", `/area${last % 17}/things${last}/7`);
      return { engine, run: () => decide(engine, raw) };
    },
  },
  "roles of the caller": {
    sizes: [1, 10, 100],
    flat: true,
    prepare: async (count) => {
      const key = keyFor("HS256");
      const roles = numbers(count).map((n) => `role${n}`);
      const policy = base(
        { "GET /things": { authenticate: ["user"], authorize: { roles: ["role0"] } } },
        {
          authenticators: { user: authenticator(key) },
          roles: Object.fromEntries(roles.map((role) => [role, []])),
        },
      );
      const engine = await createEngine(policy, { secrets: SECRETS });
      // As long whatever it holds, or the length of the token would be measured.
      const padding = "x".repeat(1200 - JSON.stringify(roles).length);
      const raw = bearer("/things", key.mint(claimsOf({ roles, padding })));
      return { engine, run: () => decide(engine, raw) };
    },
  },
  "limits of the route": {
    sizes: [0, 1, 2, 4, 8],
    prepare: async (count) => {
      const names = numbers(count).map((n) => `limit${n}`);
      const limits = Object.fromEntries(
        names.map((name) => [name, { limit: 1e9, window: "1h", by: "client.ip" }]),
      );
      const engine = await createEngine(
        base({ "GET /things": { limits: names } }, count === 0 ? {} : { limits }),
      );
      const raw = request("GET", "/things");
      return { engine, run: () => decide(engine, raw) };
    },
  },
  "schemas of the policy": {
    sizes: [1, 10, 100, 1000],
    flat: true,
    prepare: async (count) => {
      const engine = await createEngine(
        base(
          Object.fromEntries(
            numbers(count).map((n) => [`POST /things${n}`, { request: { body: schemaAt(n) } }]),
          ),
        ),
      );
      return { engine, run: withBody(engine, `/things${count - 1}`, { sku: "LAMP-0007" }) };
    },
  },
  "bytes of the body": {
    sizes: [100, 1000, 10_000, 100_000],
    prepare: async (size) => {
      const body = { type: "object", properties: { notes: { type: "array", items: { type: "string" } } } };
      const engine = await createEngine(base({ "POST /things": { request: { body, maxBody: "1MB" } } }));
      const notes = numbers(Math.round(size / 43)).map(() => "a note of forty characters and no more !");
      return { engine, run: withBody(engine, "/things", { notes }) };
    },
  },
  "fields of the request": {
    sizes: [5, 20, 80],
    prepare: async (count) => {
      const engine = await createEngine(base({ "GET /things": {} }));
      const raw = request(
        "GET",
        "/things",
        fields(...numbers(count - 5).flatMap((n) => [`X-Field-${n}`, "some value"])),
      );
      return { engine, run: () => decide(engine, raw) };
    },
  },
};

async function measured({ sizes, prepare }, options) {
  const ready = [];
  for (const size of options.short ? sizes.slice(0, 2) : sizes)
    ready.push({ size, ...(await prepare(size)) });
  for (const { run } of ready) assert.equal(run().outcome, "admit");
  const seen = await sideBySide(
    ready.map(({ size, run }) => ({ name: String(size), run })),
    { ...options, ms: 25 },
  );
  for (const { engine } of ready) await engine.close();
  const first = String(ready[0].size);
  return ready.map(({ size }) => ({
    size,
    ns: seen.ns(String(size)),
    ratio: seen.ratio(String(size), first),
  }));
}

export async function run(options) {
  const rows = [];
  const curves = [];
  for (const [name, subject] of Object.entries(SUBJECTS)) {
    const points = await measured(subject, options);
    for (const { size, ns, ratio } of points)
      rows.push([name, String(size), `${Math.round(ns)} ns`, times(ratio)]);
    curves.push({
      title: `One decision by ${name}${subject.flat === true ? ", which should be flat" : ""}`,
      x: name,
      y: "ns",
      series: [{ name: "Gatehouse", points: points.map(({ size, ns }) => [size, ns]) }],
    });
  }
  return {
    tables: [
      {
        caption: "One decision, CPU time",
        columns: ["by", "how many", "a decision", "against the least"],
        rows,
      },
    ],
    targets: [],
    notes: [
      "Flat are routes, roles of the caller (the token is remembered) and schemas. Limits, bytes and fields have to be looked at one by one.",
    ],
    curves,
  };
}
