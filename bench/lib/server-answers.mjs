// Before anything is timed: both sides answer alike, when they let in and when they refuse.
import { strict as assert } from "node:assert";
import { hidden, orderId, origin, tokenOf } from "../servers/work.mjs";

const bearer = (token) => ({ Authorization: `Bearer ${token}` });
const good = '{"sku":"LAMP-0007","quantity":2,"note":"ring twice"}';
const post = (body, token) => ({
  method: "POST",
  path: "/orders",
  headers: { "Content-Type": "application/json", ...bearer(token) },
  body,
});

/** helmet's, without the one that means nothing over plain HTTP. */
const securityFields = [
  "content-security-policy",
  "cross-origin-opener-policy",
  "cross-origin-resource-policy",
  "origin-agent-cluster",
  "referrer-policy",
  "x-content-type-options",
  "x-dns-prefetch-control",
  "x-download-options",
  "x-frame-options",
  "x-permitted-cross-domain-policies",
  "x-xss-protection",
];

function questions() {
  const ann = tokenOf("ann");
  const get = (headers) => ({ path: `/orders/${orderId}`, headers });
  const [head, claims, signature] = ann.split(".");
  const none = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${claims}.`;
  const forged = `${head}.${claims}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;
  const preflight = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization",
  };
  return [
    { what: "GET", ...get(bearer(ann)), statuses: [200], same: true },
    { what: "POST", ...post(good, ann), statuses: [201], same: true },
    { what: "preflight", method: "OPTIONS", path: "/orders", headers: preflight, statuses: [204] },
    {
      what: "another origin",
      ...get({ ...bearer(ann), Origin: "https://evil.example" }),
      statuses: [200],
      same: true,
    },
    { what: "no token", ...get({}), statuses: [401] },
    { what: "a forged token", ...get(bearer(forged)), statuses: [401] },
    { what: "alg none", ...get(bearer(none)), statuses: [401] },
    { what: "another role", ...get(bearer(tokenOf("bob", ["clerk"]))), statuses: [403] },
    { what: "a body that is no JSON", ...post('{"sku":', ann), statuses: [400] },
    {
      what: "a body against the schema",
      ...post('{"sku":"LAMP-0007","quantity":0}', ann),
      statuses: [400, 422],
    },
  ];
}

/** @param servers name to port, of the guarded ones @returns how many questions each was asked */
export async function assertSameAnswers(servers) {
  const all = questions();
  for (const { what, path, method = "GET", headers, body, statuses, same } of all) {
    const seen = [];
    for (const [name, port] of Object.entries(servers)) {
      const url = `http://127.0.0.1:${port}${path}`;
      const answer = await fetch(url, {
        method,
        headers: { Origin: origin, ...headers },
        ...(body ? { body } : {}),
      });
      const about = `${what}, ${name}: ${answer.status}`;
      assert.ok(statuses.includes(answer.status), about);
      seen.push({
        about,
        fields: fieldsOf(answer.headers, same),
        ...(same ? { body: await answer.json() } : {}),
      });
    }
    for (const { about, fields, body } of seen) {
      assert.deepEqual(fields, seen[0].fields, about);
      assert.deepEqual(body, seen[0].body, about);
      if (body !== undefined) assertHidden(body, about);
    }
  }
  return all.length;
}

function fieldsOf(headers, admitted) {
  const fields = { "access-control-allow-origin": headers.get("access-control-allow-origin") };
  if (!admitted) return fields;
  for (const name of securityFields) fields[name] = headers.get(name);
  assert.ok(!Object.values(fields).slice(1).includes(null), "a field of helmet's is missing");
  assert.equal(headers.get("x-powered-by"), null);
  return fields;
}

function assertHidden(body, about) {
  for (const path of hidden) {
    const value = path.split(".").reduce((at, key) => at[key], body);
    assert.equal(value, undefined, `${about}: ${path}`);
  }
}

/** @param servers name to port, of servers that admit `limit` requests */
export async function assertLimited(servers, limit) {
  for (const [name, port] of Object.entries(servers)) {
    const statuses = [];
    for (let n = 0; n <= limit; n++) {
      const answer = await fetch(`http://127.0.0.1:${port}/orders/${orderId}`, {
        headers: bearer(tokenOf("ann")),
      });
      statuses.push(answer.status);
    }
    assert.deepEqual(statuses, [...Array.from({ length: limit }, () => 200), 429], name);
  }
}
