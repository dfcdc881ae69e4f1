/** The orders API in small, as it is met by the built packages: API keys, roles, a condition, a body schema, a projection. */
export const policy = {
  gatehouse: 1,
  name: "orders-smoke",
  transport: { https: "off" },
  authenticators: {
    partner: { type: "api-key", in: "header", name: "X-API-Key", keys: { secret: "env:PARTNER_KEYS" } },
  },
  roles: { clerk: ["customer"], customer: [] },
  schemas: {
    NewOrder: {
      type: "object",
      required: ["sku", "quantity"],
      properties: {
        sku: { type: "string", pattern: "^[A-Z0-9-]{4,20}$" },
        quantity: { type: "integer", minimum: 1, maximum: 100 },
      },
    },
    Order: { type: "object", properties: { id: { type: "string" }, sku: { type: "string" } } },
  },
  limits: { "per-user": { limit: 100, window: "1m", by: "principal.id" } },
  defaults: { authenticate: ["partner"], limits: ["per-user"] },
  routes: {
    "GET /health": { authenticate: "none", limits: [] },
    "POST /orders": {
      authorize: { roles: ["customer"], when: "principal.tenant == 'acme'" },
      request: { body: { $ref: "#/schemas/NewOrder" } },
      response: { body: { $ref: "#/schemas/Order" } },
    },
  },
};

/** A test's key, not a secret: its SHA-256 is what the policy's key list holds. */
export const key = "smoke-test-key-0123456789abcdef0123456789abcdef";

export const partnerKeys = JSON.stringify([
  {
    id: "acme-1",
    sha256: "cacc683d765aef0a96c3392460facfc391d97a86f2ea953026be371986a7c418",
    roles: ["customer"],
    scopes: [],
    attributes: { tenant: "acme" },
  },
]);

export const secrets = {
  get: (reference) => (reference === "env:PARTNER_KEYS" ? partnerKeys : undefined),
};

const post = (body, headers) => ({
  method: "POST",
  target: "/orders",
  headers: [["Host", "api.example.com"], ["Content-Type", "application/json"], ...headers],
  remoteAddress: "192.0.2.7",
  encrypted: false,
  body,
});

const good = { sku: "TEA-0001", quantity: 2 };

/** Each request with the outcome and the status that it must get. */
export const expected = [
  {
    name: "an open route is admitted",
    request: {
      method: "GET",
      target: "/health",
      headers: [["Host", "api.example.com"]],
      remoteAddress: "192.0.2.7",
      encrypted: false,
    },
    status: "admit",
  },
  { name: "a good order is admitted", request: post(good, [["X-API-Key", key]]), status: "admit" },
  { name: "no credential is 401", request: post(good, []), status: 401 },
  { name: "a bad credential is 401", request: post(good, [["X-API-Key", "nonsense"]]), status: 401 },
  {
    name: "a body that does not fit is 422",
    request: post({ sku: "tea", quantity: 0 }, [["X-API-Key", key]]),
    status: 422,
  },
  {
    name: "a path that reads two ways is 400",
    request: { ...post(good, [["X-API-Key", key]]), target: "/orders%2f..%2fhealth" },
    status: 400,
  },
];

/** Problems found; empty when every request got what it must get. */
export async function judge(createEngine) {
  const engine = await createEngine(policy, { secrets });
  const problems = [];
  for (const { name, request, status } of expected) {
    const decision = await engine.evaluate(request);
    const got = decision.outcome === "admit" ? "admit" : decision.status;
    if (got !== status) problems.push(`${name}: expected ${status}, got ${got} ${decision.code ?? ""}`);
  }
  await engine.close();
  return problems;
}
