// One start in a fresh process, told as JSON: `node startup-child.mjs <what> <how many>`.
import { createRequire } from "node:module";
import { bearer, decide, fields, request } from "./requests.mjs";
import { authenticator, claimsOf, keyFor, SECRETS } from "./tokens.mjs";

const [what, count] = [process.argv[2], Number(process.argv[3])];
const numbers = Array.from({ length: count }, (_, index) => index);

const key = keyFor("HS256");

/** No two alike: equal ones would be compiled once. */
const schemaAt = (index) => ({
  type: "object",
  required: ["sku", "quantity"],
  additionalProperties: false,
  properties: {
    sku: { type: "string", minLength: 4, maxLength: 20 + (index % 50) },
    quantity: { type: "integer", minimum: 1, maximum: 100 + index },
    note: { type: "string", maxLength: 500 },
    tags: { type: "array", maxItems: 10, items: { type: "string", maxLength: 40 } },
    ship: {
      type: "object",
      required: ["city"],
      additionalProperties: false,
      properties: { city: { type: "string" }, zip: { type: "string", pattern: "^[0-9]{5}$" } },
    },
  },
});

const policy = (routes, more = {}) => ({
  gatehouse: 1,
  name: "bench-startup",
  transport: { https: "off" },
  defaults: { authenticate: "none" },
  routes: Object.fromEntries(routes),
  ...more,
});

const withSchemas = () =>
  policy(numbers.map((index) => [`POST /things${index}`, { request: { body: schemaAt(index) } }]));
const withRoutes = () => policy(numbers.map((index) => [`GET /area${index % 17}/things${index}/:id`, {}]));
/** An open route is no rule: these ask for a role each. */
const withRules = () =>
  policy(
    numbers.map((index) => [`GET /things${index}`, { authorize: { roles: [`role${index}`] } }]),
    {
      defaults: {},
      authenticators: { user: authenticator(key) },
      roles: Object.fromEntries(numbers.map((index) => [`role${index}`, []])),
    },
  );
const withHtml = () =>
  policy([
    [
      "POST /html",
      {
        request: {
          body: { type: "object", properties: { html: { type: "string" } } },
          sanitize: { "/html": "html" },
        },
      },
    ],
  ]);

/** An application has its policy and its schemas before it starts: making them up is nobody's start. */
const DOCUMENTS = {
  schemas: withSchemas,
  rules: withRules,
  routes: withRoutes,
  html: withHtml,
  ajv: () => numbers.map(schemaAt),
};
const document = DOCUMENTS[what]?.();

async function gatehouse() {
  const { createEngine } = await import("@gatehouse/core");
  return createEngine(document, { secrets: SECRETS });
}

async function ajv() {
  const { Ajv2020 } = await import("ajv/dist/2020.js");
  const compiler = new Ajv2020({ strict: false });
  return document.map((schema) => compiler.compile(schema));
}

const STARTS = {
  bare: async () => undefined,
  import: () => import("@gatehouse/core"),
  ajv,
  schemas: gatehouse,
  rules: gatehouse,
  routes: gatehouse,
  html: gatehouse,
};

/** What the first requests pay: code that never ran, and schemas that are compiled at first use. */
const FIRST = { schemas: firstBody, rules: firstToken };

const from = performance.now();
const before = process.cpuUsage();
const made = await STARTS[what]();
const cpuMs = spentSince(before);
const ms = performance.now() - from;
const first = FIRST[what]?.(made);
globalThis.gc?.();
const loaded = Object.keys(createRequire(import.meta.url).cache ?? {});
const { rss, heapUsed } = process.memoryUsage();
const revisionMs = what === "schemas" ? hashing(made) : undefined;
const dom = loaded.some((path) => /[\\/](?:jsdom|dompurify|happy-dom|linkedom)[\\/]/u.test(path));
console.log(
  JSON.stringify({ cpuMs, ms, ...first, revisionMs, rssMb: rss / 1e6, heapMb: heapUsed / 1e6, dom }),
);
process.exit(0);

function spentSince(earlier) {
  const { user, system } = process.cpuUsage(earlier);
  return (user + system) / 1000;
}

/** What nobody asked for until now. */
function hashing(engine) {
  const start = process.cpuUsage();
  if (engine.revision.length !== 64) throw new Error("no revision");
  return spentSince(start);
}

/** Of two routes, one after the other. */
function firstAndNext(run) {
  const start = process.cpuUsage();
  run(0);
  const firstMs = spentSince(start);
  const then = process.cpuUsage();
  run(1);
  return { firstMs, nextMs: spentSince(then) };
}

function firstBody(engine) {
  const order = { sku: "LAMP-0007", quantity: 2, ship: { city: "Köln", zip: "50667" } };
  const bytes = Buffer.from(JSON.stringify(order));
  const headers = fields("Content-Type", "application/json", "Content-Length", String(bytes.length));
  return firstAndNext((index) => {
    const exchange = engine.open(request("POST", `/things${index}`, headers));
    exchange.head();
    const decided = exchange.body({ bytes, complete: true });
    exchange.end(200);
    if (decided.outcome !== "admit") throw new Error(decided.reason);
  });
}

function firstToken(engine) {
  return firstAndNext((index) => {
    const decided = decide(
      engine,
      bearer(`/things${index}`, key.mint(claimsOf({ roles: ["role0", "role1"] }))),
    );
    if (decided.outcome !== "admit") throw new Error(decided.reason);
  });
}
