// One start in a fresh process, told as JSON: `node startup-child.mjs <what> <how many>`.
import { createRequire } from "node:module";

const [what, count] = [process.argv[2], Number(process.argv[3])];
const numbers = Array.from({ length: count }, (_, index) => index);

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
      authenticators: {
        user: {
          type: "jwt",
          issuer: "https://id.example.com/",
          audience: "bench",
          algorithms: ["HS256"],
          keys: { secret: "env:BENCH" },
          principal: { id: "sub", roles: "roles" },
        },
      },
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

const secrets = { get: async () => "a-secret-of-more-than-thirty-two-bytes!!" };

async function gatehouse(document) {
  const { createEngine } = await import("@gatehouse/core");
  return createEngine(document, { secrets });
}

async function ajv() {
  const { Ajv2020 } = await import("ajv/dist/2020.js");
  const compiler = new Ajv2020({ strict: false });
  return numbers.map((index) => compiler.compile(schemaAt(index)));
}

const STARTS = {
  bare: async () => undefined,
  import: () => import("@gatehouse/core"),
  ajv,
  schemas: () => gatehouse(withSchemas()),
  rules: () => gatehouse(withRules()),
  routes: () => gatehouse(withRoutes()),
  html: () => gatehouse(withHtml()),
};

const from = performance.now();
const before = process.cpuUsage();
const made = await STARTS[what]();
const { user, system } = process.cpuUsage(before);
const ms = performance.now() - from;
const first = what === "schemas" ? firstBody(made) : undefined;
globalThis.gc?.();
const loaded = Object.keys(createRequire(import.meta.url).cache ?? {});
console.log(
  JSON.stringify({
    cpuMs: (user + system) / 1000,
    ms,
    firstMs: first,
    rssMb: process.memoryUsage().rss / 1e6,
    heapMb: process.memoryUsage().heapUsed / 1e6,
    dom: loaded.some((path) => /[\\/](?:jsdom|dompurify|happy-dom|linkedom)[\\/]/u.test(path)),
  }),
);
process.exit(0);

/** What the first request of a route pays, where its schema is compiled at first use. */
function firstBody(engine) {
  const bytes = Buffer.from(
    JSON.stringify({ sku: "LAMP-0007", quantity: 2, ship: { city: "Köln", zip: "50667" } }),
  );
  const headers = [
    "Host",
    "a.test",
    "Content-Type",
    "application/json",
    "Content-Length",
    String(bytes.length),
  ];
  const spent = process.cpuUsage();
  const exchange = engine.open({
    method: "POST",
    target: "/things0",
    headers,
    remoteAddress: "203.0.113.7",
    encrypted: false,
  });
  exchange.head();
  const decided = exchange.body({ bytes, complete: true });
  exchange.end(200);
  if (decided.outcome !== "admit") throw new Error(decided.reason);
  const { user: u, system: s } = process.cpuUsage(spent);
  return (u + s) / 1000;
}
