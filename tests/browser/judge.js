// What the page and the worker both do: make an engine of the example's policy and compare its decisions with what
// they must be.
import { createEngine, parsePolicy } from "@gatehouse/core";
import ordersPolicy from "../../examples/orders/policy.jsonc";

const apiKey = "browser-test-key-0123456789abcdef0123456789abcdef";
const text = new TextEncoder();

const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");

/** A key pair of this run, made with nothing but WebCrypto. */
async function keyPair() {
  const curve = { name: "ECDSA", namedCurve: "P-256" };
  const { publicKey, privateKey } = await crypto.subtle.generateKey(curve, true, ["sign", "verify"]);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  return { jwk: { kty, crv, x, y, kid: "k1", alg: "ES256", use: "sig" }, privateKey };
}

async function sign(privateKey, claims) {
  const now = Math.floor(Date.now() / 1000);
  const registered = { iss: "https://id.example.com/", aud: "orders-api", iat: now, exp: now + 300 };
  const part = (value) => base64url(text.encode(JSON.stringify(value)));
  const head = `${part({ alg: "ES256", kid: "k1", typ: "at+jwt" })}.${part({ ...registered, ...claims })}`;
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  return `${head}.${base64url(await crypto.subtle.sign(algorithm, privateKey, text.encode(head)))}`;
}

/** The example's policy with what a file held there given by hand: the issuer's keys inline, secrets by option. */
async function ordersEngine(jwk) {
  const policy = structuredClone(parsePolicy(ordersPolicy, "policy.jsonc"));
  policy.authenticators.user.keys = { jwks: { keys: [jwk] } };
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", text.encode(apiKey)));
  const sha256 = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const secrets = new Map([
    [
      "file:keys/partner-keys.json",
      JSON.stringify([{ id: "globex", sha256, roles: ["customer"], attributes: { tenant: "globex" } }]),
    ],
    ["env:REDACTION_KEY", "browser-redaction-key-0123456789abcdef"],
  ]);
  return createEngine(policy, {
    secrets: { get: (reference) => secrets.get(reference) },
    checks: { ownsOrder: ({ principal }) => principal.id === "ann" },
  });
}

const order = {
  id: "7d444840-9dc0-4a5b-9d2a-000000000001",
  sku: "DESK-1",
  margin: 0.42,
  customer: { name: "Ann", email: "ann@example.com", card: "4111 1111 1111 1111" },
};
const seen = (email) => ({ id: order.id, sku: order.sku, customer: { name: "Ann", email } });

/** A request's whole way, as an adapter goes it: the status, and the text where the engine shaped an answer. */
async function pass(engine, { method, target, fields = [], body }, answer) {
  const bytes = text.encode(body === undefined ? "" : JSON.stringify(body));
  const content =
    body === undefined
      ? []
      : [
          ["Content-Type", "application/json"],
          ["Content-Length", String(bytes.length)],
        ];
  const exchange = engine.open({
    method,
    target,
    headers: [["Host", "localhost:8080"], ...content, ...fields],
    remoteAddress: "192.0.2.7",
    encrypted: true,
  });
  let decision = await exchange.head();
  if (decision.outcome === "continue") decision = await exchange.body({ bytes, complete: true });
  if (decision.outcome !== "admit") {
    exchange.end(decision.status);
    return { status: decision.status, code: decision.code };
  }
  const shaped = exchange.respond({
    status: 200,
    headers: [["Content-Type", "application/json"]],
    body: answer,
  });
  exchange.end(shaped.status);
  const told = typeof shaped.body === "string" ? shaped.body : new TextDecoder().decode(shaped.body);
  return { status: shaped.status, told };
}

async function judge() {
  const { jwk, privateKey } = await keyPair();
  const [ann, bob, cleo] = await Promise.all(
    [
      ["ann", "orders:write", "customer"],
      ["bob", "", "clerk"],
      ["cleo", "", "admin"],
    ].map(async ([sub, scope, role]) => {
      const claims = { sub, scope, org_id: "acme", realm_access: { roles: [role] } };
      return ["Authorization", `Bearer ${await sign(privateKey, claims)}`];
    }),
  );
  const forged = [ann[0], `${ann[1].slice(0, -8)}AAAAAAAA`];
  const partner = ["X-API-Key", apiKey];
  const engine = await ordersEngine(jwk);

  const get = (target, ...fields) => ({ method: "GET", target, fields });
  const post = (target, body, ...fields) => ({ method: "POST", target, body, fields });
  const good = { sku: "LAMP-7", quantity: 2 };
  const login = { email: "ann@example.com", password: "guess" };
  const anns = `/tenants/acme/orders/${order.id}`;
  const audit = { entries: [{ action: "login", ip: "203.0.113.7", session: "s3cr3t" }] };
  const hashed = /^\{"entries":\[\{"action":"login","ip":"[\w-]{43}"\}\]\}$/;

  const cases = [
    ["an open route", get("/health"), 200],
    ["a good order", post("/orders", good, ann), 200, order, seen("ann@example.com")],
    ["the owner sees a mask", get(anns, ann), 200, order, seen("***")],
    ["a clerk sees the address", get(anns, bob), 200, order, seen("ann@example.com")],
    ["an address is hashed", get("/admin/audit", cleo), 200, audit, hashed],
    ["a body schema with a format", post("/login", login), 200, { token: "t", hint: "x" }, { token: "t" }],
    ["no credential", get(anns), 401],
    ["a forged signature", get(anns, forged), 401],
    ["a key of another tenant", get(anns, partner), 404],
    ["a role that is missing", get("/admin/audit", ann), 403],
    ["a scope that is missing", post("/orders", good, bob), 403],
    ["a number out of range", post("/orders", { ...good, quantity: 1000 }, ann), 422],
    ["a pattern that does not match", post("/orders", { ...good, sku: "lamp" }, ann), 422],
    ["a property that no schema names", post("/orders", { ...good, price: 0 }, ann), 422],
    ["a format that is wrong", post("/login", { ...login, email: "ann" }), 422],
    ["a parameter that is no UUID", get("/tenants/acme/orders/1", ann), 400],
    ["a path that reads two ways", get("/admin/..%2forders", ann), 400],
    ["no such route", get("/nowhere", ann), 404],
  ];
  const judged = [];
  for (const [name, request, expected, answer = {}, text] of cases) {
    const { status, told, code } = await pass(engine, request, answer);
    const same =
      text === undefined || (text instanceof RegExp ? text.test(told) : told === JSON.stringify(text));
    judged.push({ name, expected, got: status, ok: status === expected && same, code: same ? code : told });
  }
  await engine.close();
  return judged;
}

/** Runs `judge` with an ear on the content security policy, then proves that this ear hears. */
export async function run(scope) {
  const violations = [];
  scope.addEventListener("securitypolicyviolation", (event) => {
    violations.push(`${event.violatedDirective}: ${event.blockedURI}`);
  });
  // Violations are reported in a task of their own: one turn later they are all here.
  const settle = () => new Promise((resolve) => setTimeout(resolve, 50));
  let cases = [];
  let error;
  try {
    cases = await judge();
  } catch (thrown) {
    error = `${thrown}\n${thrown?.stack ?? ""}\n${JSON.stringify(thrown?.diagnostics ?? null)}`;
  }
  await settle();
  const during = [...violations];
  let refused = false;
  try {
    scope.eval("1");
  } catch {
    refused = true;
  }
  await settle();
  return { cases, error, violations: during, control: refused && violations.length > during.length };
}
