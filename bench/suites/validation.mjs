// Bodies from bytes to a value that fits a schema. Ours is what a body adds to a decision: content type, size, parsing, the guards (members
// that stand twice, `__proto__`, depth, integers that cannot be read exactly), the schema. ajv is given a value that is already parsed, or
// text to be parsed first.
import { strict as assert } from "node:assert";
import { Ajv2020 } from "ajv/dist/2020.js";
import { createEngine } from "@gatehouse/core";
import { fields } from "../lib/requests.mjs";
import { sideBySide } from "../lib/side-by-side.mjs";
import { times } from "../lib/target.mjs";
import { micros } from "../lib/units.mjs";
import { newOrder } from "../servers/work.mjs";

export const title = "Validation of bodies";

const SIZES = { "100 B": 1, "10 kB": 100, "100 kB": 1000 };

const line = { ...newOrder, properties: { ...newOrder.properties, gift: { type: "boolean" } } };
const schema = {
  type: "object",
  required: ["lines"],
  additionalProperties: false,
  properties: { lines: { type: "array", minItems: 1, maxItems: 10_000, items: line } },
};

const policy = {
  gatehouse: 1,
  name: "bench-validation",
  transport: { https: "off" },
  defaults: { authenticate: "none" },
  routes: { "POST /orders": { request: { body: schema, maxBody: "1MB" } }, "POST /open": {} },
};

const bodyOf = (lines) => ({
  lines: Array.from({ length: lines }, (_, index) => ({
    sku: `LAMP-${index % 9999}`,
    quantity: (index % 100) + 1,
    note: "ring twice, the bell is broken",
    gift: index % 2 === 0,
  })),
});

const post = (target, bytes) => ({
  method: "POST",
  target,
  headers: fields("Content-Type", "application/json", "Content-Length", String(bytes.length)),
  remoteAddress: "203.0.113.7",
  encrypted: false,
});

function decideOn(engine, raw, bytes) {
  const exchange = engine.open(raw);
  const head = exchange.head();
  const decided = head.outcome === "continue" ? exchange.body({ bytes, complete: true }) : head;
  exchange.end(200);
  return decided;
}

async function measured(name, lines, options) {
  const engine = await createEngine(policy);
  const validate = new Ajv2020().compile(schema);
  const value = bodyOf(lines);
  const bytes = Buffer.from(JSON.stringify(value));
  const wrong = Buffer.from(JSON.stringify({ lines: [...value.lines, { sku: "LAMP-1", quantity: 0 }] }));
  const asked = { good: post("/orders", bytes), bad: post("/orders", wrong), open: post("/open", bytes) };
  const parsed = (from) => validate(JSON.parse(from.toString()));
  const good = decideOn(engine, asked.good, bytes);
  assert.deepEqual(JSON.parse(JSON.stringify(good.body)), value);
  assert.equal(decideOn(engine, asked.bad, wrong).code, "invalid-body");
  assert.deepEqual([parsed(bytes), parsed(wrong), validate(value)], [true, false, true]);
  const comparison = await sideBySide(
    [
      { name: "Gatehouse", run: () => decideOn(engine, asked.good, bytes) },
      { name: "no schema", run: () => decideOn(engine, asked.open, bytes) },
      { name: "Gatehouse, refused", run: () => decideOn(engine, asked.bad, wrong) },
      { name: "JSON.parse, ajv", run: () => parsed(bytes) },
      { name: "JSON.parse", run: () => JSON.parse(bytes.toString()) },
      { name: "ajv", run: () => validate(value) },
    ],
    options,
  );
  await engine.close();
  return { name, bytes: bytes.length, comparison };
}

export async function run(options) {
  const all = [];
  for (const [name, lines] of Object.entries(SIZES)) all.push(await measured(name, lines, options));
  const own = (seen, name = "Gatehouse") => seen.added(name, "no schema");
  const beside = (seen, name) => times(seen.timesAdded(name, "Gatehouse", "no schema"));
  return {
    tables: [
      {
        caption: "One body, CPU time",
        columns: ["size", "what", "a body", "beside ours"],
        rows: all.flatMap(({ name, comparison: seen }) => [
          [name, "Gatehouse", micros(own(seen)), "1x"],
          [name, "Gatehouse, the last line wrong", micros(own(seen, "Gatehouse, refused")), ""],
          ...["JSON.parse, ajv", "JSON.parse", "ajv"].map((peer) => [
            name,
            peer,
            micros(seen.ns(peer)),
            beside(seen, peer),
          ]),
        ]),
      },
    ],
    targets: [],
    notes: [
      "No target names validation. What ours takes beside `JSON.parse, ajv` is what the guards cost, which neither of the two has.",
    ],
    curves: [
      {
        title: "One body by its size",
        x: "bytes",
        y: "ns",
        series: [
          { name: "Gatehouse", points: all.map(({ bytes, comparison }) => [bytes, own(comparison)]) },
          {
            name: "JSON.parse, ajv",
            points: all.map(({ bytes, comparison }) => [bytes, comparison.ns("JSON.parse, ajv")]),
          },
        ],
      },
    ],
  };
}
