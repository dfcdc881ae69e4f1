// What the page and the worker both do: make an engine and compare its decisions with what they must be.
import { createEngine } from "@gatehouse/core";
import document from "./policy.json";

const apiKey = "browser-test-key-0123456789abcdef0123456789abcdef";
const text = new TextEncoder();

const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");

/** A key pair of this run and a token of one caller, made with nothing but WebCrypto. */
async function mint(claims) {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  const jwk = {
    ...(await crypto.subtle.exportKey("jwk", pair.publicKey)),
    kid: "k1",
    alg: "ES256",
    use: "sig",
  };
  delete jwk.key_ops;
  delete jwk.ext;
  const part = (value) => base64url(text.encode(JSON.stringify(value)));
  const head = `${part({ alg: "ES256", kid: "k1", typ: "at+jwt" })}.${part(claims)}`;
  const signature = await crypto.subtle.sign(
    { name: "ECDSA", hash: "SHA-256" },
    pair.privateKey,
    text.encode(head),
  );
  return { jwk, token: `${head}.${base64url(signature)}` };
}

async function judge() {
  const now = Math.floor(Date.now() / 1000);
  const { jwk, token } = await mint({
    iss: "https://id.example.com/",
    aud: "orders-api",
    sub: "ann",
    iat: now,
    exp: now + 300,
    org_id: "acme",
    scope: "orders:write",
    realm_access: { roles: ["customer"] },
  });
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", text.encode(apiKey)));
  const sha256 = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const partnerKeys = JSON.stringify([
    { id: "acme-1", sha256, roles: ["customer"], scopes: ["orders:write"], attributes: { tenant: "acme" } },
  ]);

  const policy = structuredClone(document);
  policy.authenticators.user.keys.jwks.keys.push(jwk);
  const engine = await createEngine(policy, {
    secrets: { get: (reference) => (reference === "env:PARTNER_KEYS" ? partnerKeys : undefined) },
  });

  const bearer = ["Authorization", `Bearer ${token}`];
  const partner = ["X-API-Key", apiKey];
  const forged = ["Authorization", `Bearer ${token.slice(0, -8)}AAAAAAAA`];
  const ask = (method, target, fields, body) =>
    engine.evaluate({
      method,
      target,
      headers: [
        ["Host", "api.example.com"],
        ...(body === undefined ? [] : [["Content-Type", "application/json"]]),
        ...fields,
      ],
      remoteAddress: "192.0.2.7",
      encrypted: false,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const good = { sku: "TEA-0001", quantity: 2, contact: "ann@example.com" };
  const order = "/tenants/acme/orders/0190a6f0-7c1e-7000-8000-000000000001";

  const cases = [
    ["an open route", "admit", await ask("GET", "/health", [])],
    ["a good order with a token", "admit", await ask("POST", "/orders", [bearer], good)],
    ["a good order with an API key", "admit", await ask("POST", "/orders", [partner], good)],
    ["the condition holds", "admit", await ask("GET", order, [bearer])],
    ["no credential", 401, await ask("POST", "/orders", [], good)],
    ["a forged signature", 401, await ask("POST", "/orders", [forged], good)],
    ["a condition that does not hold", 403, await ask("GET", order.replace("acme", "other"), [bearer])],
    ["a role that is missing", 403, await ask("GET", "/admin/audit", [bearer])],
    ["a number out of range", 422, await ask("POST", "/orders", [bearer], { ...good, quantity: 0 })],
    ["a pattern that does not match", 422, await ask("POST", "/orders", [bearer], { ...good, sku: "tea" })],
    ["a format that is wrong", 422, await ask("POST", "/orders", [bearer], { ...good, contact: "ann" })],
    ["a property that no schema names", 422, await ask("POST", "/orders", [bearer], { ...good, price: 1 })],
    ["a path that reads two ways", 400, await ask("GET", "/orders%2f..%2fhealth", [bearer])],
    ["no such route", 404, await ask("GET", "/nowhere", [bearer])],
  ];
  await engine.close();

  return cases.map(([name, expected, decision]) => {
    const got = decision.outcome === "admit" ? "admit" : decision.status;
    return { name, expected, got, ok: got === expected, code: decision.code };
  });
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
