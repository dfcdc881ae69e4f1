// A warm, fully loaded decision beside the hand-written floor.
import { strict as assert } from "node:assert";
import { createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import { createEngine } from "@gatehouse/core";
import { allocated, compare, promisesMade } from "../lib/compare.mjs";
import { body, headersWith, policy } from "../lib/decision-policy.mjs";
import { handWritten } from "../lib/floor.mjs";

export const title = "One decision, in process";

export async function run(options) {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: "1", alg: "ES256" };
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: "https://id.example.com/",
    aud: "bench",
    sub: "ann",
    roles: ["customer"],
    tenant: "acme",
    iat: now,
    exp: now + 7200,
  };
  const input = `${encode({ alg: "ES256", kid: "1", typ: "at+jwt" })}.${encode(claims)}`;
  const token = `${input}.${sign("sha256", Buffer.from(input), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;

  const engine = await createEngine(policy(jwk));
  const target = "/tenants/acme/orders";
  const headers = headersWith(token);
  const raw = { method: "POST", target, headers, remoteAddress: "203.0.113.7", encrypted: false };
  const answer = { status: 201, headers: [["Content-Type", "application/json"]], body: '{"id":"1"}' };
  const bytes = { bytes: body, complete: true };

  const ours = () => {
    const exchange = engine.open(raw);
    const head = exchange.head();
    const decided = exchange.body(bytes);
    const shaped = exchange.respond(answer);
    exchange.end(shaped.status);
    return { head, decided, shaped };
  };

  const first = ours();
  assert.equal(first.head.outcome, "continue");
  assert.equal(first.decided.outcome, "admit");
  const constant = first.shaped.headers.filter(
    ([name]) => !["X-Request-Id", "Access-Control-Allow-Origin"].includes(name),
  );
  const key = createPublicKey({ key: jwk, format: "jwk" });
  const byHand = handWritten((text) => {
    const [head, payload, signature] = text.split(".");
    const ok = verify(
      "sha256",
      Buffer.from(`${head}.${payload}`),
      { key, dsaEncoding: "ieee-p1363" },
      Buffer.from(signature, "base64url"),
    );
    if (!ok) return undefined;
    const claimed = JSON.parse(Buffer.from(payload, "base64url").toString());
    return { ...claimed, roles: new Set(claimed.roles) };
  }, constant);
  const floor = () => byHand("POST", target, headers, "203.0.113.7", body);

  // Equal answers, or the times mean nothing.
  const same = floor();
  assert.deepEqual(same.body, { ...first.decided.body });
  assert.equal(same.principal.sub, first.decided.principal.id);
  assert.deepEqual(
    same.headers.map(([name]) => name).sort(),
    first.shaped.headers.map(([name]) => name).sort(),
  );

  const { a, b, ratio } = compare(ours, floor, options);
  const promises = await promisesMade(ours);
  await engine.close();
  return {
    tables: [
      {
        caption: "Route, cached ES256 token, roles, condition, 2 limits, CORS, headers, body schema",
        columns: ["decision", "ns", "by hand, ns", "ratio"],
        rows: [["warm, fully loaded", a.toFixed(0), b.toFixed(0), `${ratio.toFixed(2)}x`]],
      },
    ],
    targets: [],
    notes: [
      `promises made by one warm decision: ${promises}`,
      `bytes left to the collector by one: ${Math.round(allocated(ours))} (by hand: ${Math.round(allocated(floor))})`,
    ],
    failed: promises > 0 ? [`a warm decision made ${promises} promises`] : [],
  };
}
