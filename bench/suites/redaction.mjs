// What leaves of an answer, by size: an allow-list (a schema) with members that are masked, from the handler's object to bytes, and from
// text to bytes. Plain JSON.stringify redacts nothing, and is what every server pays.
import { strict as assert } from "node:assert";
import fastJsonStringify from "fast-json-stringify";
import fastRedact from "fast-redact";
import pinoRedact from "@pinojs/redact";
import { createEngine } from "@gatehouse/core";
import { request } from "../lib/requests.mjs";
import { sideBySide } from "../lib/side-by-side.mjs";
import { atLeast, atMost, times } from "../lib/target.mjs";
import { micros } from "../lib/units.mjs";

export const title = "Redaction and projection of answers";

const SIZES = { "1 kB": 1e3, "100 kB": 1e5, "5 MB": 5e6 };

const text = { type: "string" };
const number = { type: "number" };
const order = {
  type: "object",
  properties: {
    id: text,
    sku: text,
    quantity: { type: "integer" },
    price: number,
    paid: { type: "boolean" },
    note: { type: ["string", "null"] },
    tags: { type: "array", items: text },
    customer: {
      type: "object",
      properties: {
        name: text,
        email: text,
        address: { type: "object", properties: { city: text, zip: text } },
      },
    },
  },
};
const schema = {
  type: "object",
  properties: { total: { type: "integer" }, orders: { type: "array", items: order } },
};

const policy = {
  gatehouse: 1,
  name: "bench-redaction",
  transport: { https: "off" },
  defaults: { authenticate: "none" },
  routes: {
    "GET /orders": { response: { body: schema, redact: { "/orders/*/customer/email": "mask" } } },
    "GET /open": {},
  },
};

/** `secret` and `internal` are declared nowhere. */
const orderAt = (index) => ({
  id: `ord-${100_000 + index}`,
  sku: `LAMP-${index % 977}`,
  quantity: (index % 9) + 1,
  price: 19.99 + (index % 50),
  paid: index % 3 === 0,
  note: index % 4 === 0 ? null : 'ring twice, "please"',
  tags: ["new", "express"],
  secret: "s3cr3t-token-of-the-warehouse",
  customer: {
    name: "Ann Example",
    email: "ann@example.com",
    internal: { score: index % 100, flags: ["a", "b"] },
    address: { city: "Köln", zip: "50667" },
  },
});

function answerOf(bytes) {
  const each = Buffer.byteLength(JSON.stringify(orderAt(1))) + 1;
  const orders = Array.from({ length: Math.max(1, Math.round(bytes / each)) }, (_, index) => orderAt(index));
  return { total: orders.length, orders };
}

const PATHS = ["orders[*].customer.email", "orders[*].secret", "orders[*].customer.internal"];

function cloneAndDelete(answer) {
  const copy = structuredClone(answer);
  for (const one of copy.orders) {
    delete one.secret;
    delete one.customer.internal;
    one.customer.email = "***";
  }
  return JSON.stringify(copy);
}

/** The same allow-list with each member written out. */
const byHand = (answer) =>
  JSON.stringify({
    total: answer.total,
    orders: answer.orders.map(
      ({ id, sku, quantity, price, paid, note, tags, customer: { name, address } }) => ({
        id,
        sku,
        quantity,
        price,
        paid,
        note,
        tags,
        customer: { name, email: "***", address: { city: address.city, zip: address.zip } },
      }),
    ),
  });

function peers() {
  // They remove or replace members; what nobody named leaves.
  const fast = fastRedact({ paths: PATHS, censor: "***" });
  const pino = pinoRedact({ paths: PATHS, censor: "***" });
  const shaped = fastJsonStringify(schema);
  return {
    "JSON.stringify alone": (answer) => JSON.stringify(answer),
    "by hand": byHand,
    "fast-redact": fast,
    "@pinojs/redact": pino,
    "fast-json-stringify": shaped,
    "clone and delete": cloneAndDelete,
  };
}

const JSON_TYPE = [["Content-Type", "application/json"]];

function respondOn(engine, target) {
  const raw = request("GET", target);
  return (body) => {
    const exchange = engine.open(raw);
    exchange.head();
    const shaped = exchange.respond({ status: 200, headers: JSON_TYPE, body });
    exchange.end(200);
    return shaped.body;
  };
}

/** Of a text ours leaves as bytes already. */
const bytesOf = (json) => (typeof json === "string" ? Buffer.from(json) : json);
const valueOf = (json) => JSON.parse(Buffer.from(json).toString());

async function measured(name, bytes, options) {
  const engine = await createEngine(policy);
  const answer = answerOf(bytes);
  const json = JSON.stringify(answer);
  const ours = respondOn(engine, "/orders");
  const bare = respondOn(engine, "/open");
  const others = peers();
  const wanted = JSON.parse(byHand(answer));
  assert.deepEqual(valueOf(ours(answer)), wanted);
  assert.deepEqual(valueOf(ours(json)), wanted);
  assert.deepEqual(JSON.parse(cloneAndDelete(answer)), wanted);
  for (const other of Object.values(others)) {
    const { orders } = JSON.parse(other(answer));
    assert.equal(orders.length, answer.orders.length);
  }
  for (const name of ["fast-redact", "@pinojs/redact"])
    assert.ok(!others[name](answer).includes("ann@example.com"));
  assert.deepEqual(JSON.parse(JSON.stringify(answer)), JSON.parse(json));
  // Of the largest answer a round is one call.
  const settings = bytes > 1e6 ? { ...options, ms: 20, rounds: 9 } : { ...options, ms: 25 };
  const object = await sideBySide(
    [
      { name: "Gatehouse", run: () => bytesOf(ours(answer)) },
      { name: "nothing asked", run: () => bytesOf(bare("{}")) },
      ...Object.entries(others).map(([peer, redact]) => ({ name: peer, run: () => bytesOf(redact(answer)) })),
    ],
    settings,
  );
  const written = await sideBySide(
    [
      { name: "Gatehouse", run: () => bytesOf(ours(json)) },
      { name: "nothing asked", run: () => bytesOf(bare("{}")) },
      { name: "parse, fast-redact, stringify", run: () => bytesOf(others["fast-redact"](JSON.parse(json))) },
      { name: "parse, clone and delete, stringify", run: () => bytesOf(cloneAndDelete(JSON.parse(json))) },
      { name: "parse and stringify", run: () => bytesOf(JSON.stringify(JSON.parse(json))) },
    ],
    settings,
  );
  await engine.close();
  return { name, bytes: json.length, object, written };
}

export async function run(options) {
  const all = [];
  for (const [name, bytes] of Object.entries(SIZES)) {
    if (!options.short || bytes < 1e6) all.push(await measured(name, bytes, options));
  }
  const own = (seen) => seen.added("Gatehouse", "nothing asked");
  const rows = (from, of) =>
    all.flatMap((one) => {
      const seen = of(one);
      const names = seen.names.filter((name) => !["Gatehouse", "nothing asked"].includes(name));
      return [
        [one.name, from, "Gatehouse", micros(own(seen)), "1x"],
        ...names.map((name) => [
          one.name,
          from,
          name,
          micros(seen.ns(name)),
          times(seen.timesAdded(name, "Gatehouse", "nothing asked")),
        ]),
      ];
    });
  const against = (seen, name) => seen.timesAdded(name, "Gatehouse", "nothing asked");
  const point = (of) => all.map((one) => [one.bytes, of(one)]);
  return {
    tables: [
      {
        caption: "One answer to bytes, CPU time",
        columns: ["size", "from", "what", "an answer", "beside ours"],
        rows: [...rows("object", ({ object }) => object), ...rows("text", ({ written }) => written)],
      },
    ],
    targets: all.flatMap(({ name, bytes, object, written }) => [
      atMost(
        "9",
        `answer of ${name}, object to bytes, against JSON.stringify alone`,
        1.05,
        1 / against(object, "JSON.stringify alone"),
      ),
      atLeast(
        "9",
        `answer of ${name}, against fast-redact`,
        bytes > 1e6 ? 1.8 : 1.3,
        against(object, "fast-redact"),
      ),
      atLeast("9", `answer of ${name}, against clone and delete`, 4, against(object, "clone and delete")),
      atLeast(
        "9",
        `text of ${name} to bytes, against parse, redact, stringify`,
        2.5,
        against(written, "parse, fast-redact, stringify"),
      ),
    ]),
    notes: [
      "An order has 13 members, of which 2 are declared nowhere and 1 is masked. Ours is what projection and writing add to an exchange whose answer is `{}`.",
      "Only Gatehouse, fast-json-stringify and the code by hand keep to a list of what may leave; fast-json-stringify masks nothing, and converts what has another type.",
    ],
    curves: [
      {
        title: "Redacting an answer by its size",
        x: "bytes",
        y: "ns",
        series: [
          { name: "Gatehouse, object", points: point(({ object }) => own(object)) },
          { name: "Gatehouse, text", points: point(({ written }) => own(written)) },
          ...["JSON.stringify alone", "fast-redact", "clone and delete"].map((name) => ({
            name,
            points: point(({ object }) => object.ns(name)),
          })),
        ],
      },
    ],
  };
}
