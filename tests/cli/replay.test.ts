/** A log of 100,000 decisions of the orders example, and a candidate that lets in whom nobody meant to let in. */
import { sign } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createEngine, parsePolicy, type PolicyDocument } from "@gatehouse/core";
import { virtualClock } from "@gatehouse/core/conformance";
import { jsonLines } from "@gatehouse/core/node";
import { beforeAll, describe, expect, it } from "vitest";
import { commandUnderTest } from "./support.js";
import { ecPair } from "../../packages/core/src/node/key-pair.js";

const { run, folder } = commandUnderTest();

const DECISIONS = 100_000;
const START = Date.UTC(2026, 5, 1, 9);
const { publicKey, privateKey } = ecPair("P-256");

/** The example's, with keys of this test in place of files. */
function ordersPolicy(): PolicyDocument {
  const file = new URL("../../examples/orders/policy.jsonc", import.meta.url).pathname;
  const policy = structuredClone(parsePolicy(readFileSync(file, "utf8"), file)) as unknown as {
    authenticators: { user: { keys: unknown }; partner: { keys: unknown } };
  };
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: "test", alg: "ES256", use: "sig" };
  policy.authenticators.user.keys = { jwks: { keys: [jwk] } };
  policy.authenticators.partner.keys = { secret: "file:partner-keys" };
  return policy as unknown as PolicyDocument;
}

interface Person {
  readonly role: "customer" | "clerk" | "admin";
  readonly tenant: string;
  readonly token: string;
}

function personOf(index: number): Person {
  const role = index % 20 === 0 ? "admin" : index % 5 === 0 ? "clerk" : "customer";
  const tenant = `tenant-${index % 40}`;
  const claims = {
    iss: "https://id.example.com/",
    aud: "orders-api",
    sub: `person-${index}`,
    iat: START / 1000,
    exp: START / 1000 + 36_000,
    org_id: tenant,
    scope: "orders:write",
    realm_access: { roles: [role] },
  };
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const input = `${encode({ alg: "ES256", kid: "test", typ: "at+jwt" })}.${encode(claims)}`;
  const signature = sign("sha256", Buffer.from(input), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return { role, tenant, token: `${input}.${signature.toString("base64url")}` };
}

const PARTNERS = JSON.stringify([{ id: "globex", sha256: "0".repeat(64), roles: ["customer"] }]);
const ORDER = "7d444840-9dc0-4a5b-9d2a-000000000001";

/** What was planted: requests that the candidate lets through and the policy that served did not. */
let planted = 0;

async function record(policy: PolicyDocument, file: string): Promise<void> {
  const clock = virtualClock(START);
  const log = await jsonLines({ file, maxQueued: DECISIONS });
  const engine = await createEngine(policy, {
    clock,
    checks: { ownsOrder: ({ principal, params }) => params["id"] === ORDER && principal !== null },
    secrets: {
      get: (reference) => (reference.startsWith("file:") ? PARTNERS : "0123456789abcdef".repeat(2)),
    },
    sinks: [log],
  });
  const people = Array.from({ length: 400 }, (_, index) => personOf(index));
  const ask = (target: string, person: Person | undefined, address: string): string | undefined => {
    const headers: [string, string][] = [
      ["Host", "localhost:8080"],
      ["X-Forwarded-For", address],
      ["X-Forwarded-Proto", "https"],
    ];
    if (person !== undefined) headers.push(["Authorization", `Bearer ${person.token}`]);
    const exchange = engine.open({ method: "GET", target, headers, remoteAddress: "127.0.0.1" });
    const decision = exchange.head();
    // The first of each token alone waits for its signature, where a platform verifies later.
    if (decision instanceof Promise) throw new Error("a decision waited");
    exchange.end(decision.outcome === "refuse" ? decision.status : 200);
    return decision.outcome === "refuse" ? decision.code : undefined;
  };
  for (let index = 0; index < DECISIONS; index++) {
    clock.advance(20);
    const person = people[(index * 7) % people.length];
    const address = `198.51.100.${index % 250}`;
    // One in a thousand looks at the audit.
    if (index % 1000 === 999) {
      const clerk = people[5 + ((((index - 999) / 1000) * 20) % 400)];
      if (ask("/admin/audit", clerk, address) === "forbidden" && clerk?.role === "clerk") planted += 1;
    } else if (index % 3 === 0) ask("/health", undefined, address);
    else if (index % 50 === 1) ask(`/tenants/other/orders/${ORDER}`, person, address);
    else
      ask(
        `/tenants/${person?.tenant ?? "none"}/orders/${ORDER}`,
        index % 100 === 2 ? undefined : person,
        address,
      );
    if (index % 5000 === 0) await log.flush();
  }
  await log.close();
  expect(log.status).toEqual({ written: DECISIONS, dropped: 0, queued: 0 });
  await engine.close();
}

describe("gatehouse replay", () => {
  const path = (name: string): string => join(folder(), name);
  beforeAll(async () => {
    const policy = ordersPolicy();
    await record(policy, path("decisions.jsonl"));
    const text = JSON.stringify(policy);
    // One word: whoever is a clerk reads the audit too.
    const wider = text.replace('"require":{"roles":["admin"]}', '"require":{"roles":["clerk"]}');
    expect(wider).not.toBe(text);
    writeFileSync(path("wider.json"), wider);
    const lines = readFileSync(path("decisions.jsonl"), "utf8").split("\n").slice(0, 3001);
    writeFileSync(path("part.jsonl"), `${lines.join("\n")}\n`);
    writeFileSync(path("same.json"), text.replace('"name":"orders-api"', '"name":"orders"'));
  }, 120_000);

  it(`finds a planted widening in a log of ${DECISIONS} decisions`, () => {
    // Most of those clerks were refused before that: their tenant's exports of the day were spent.
    expect(planted).toBeGreaterThan(10);
    expect(planted).toBeLessThan(50);
    expect(statSync(path("decisions.jsonl")).size).toBeGreaterThan(10_000_000);
    const { code, out, err } = run([
      "replay",
      "decisions.jsonl",
      "wider.json",
      "--json",
      "--fail-on",
      "newly-admitted",
    ]);
    expect(err).toBe("");
    expect(code).toBe(1);
    const report = JSON.parse(out) as {
      counts: Record<string, number>;
      decisions: number;
      findings: {
        category: string;
        count: number;
        served: unknown;
        candidate: unknown;
        examples: unknown[];
      }[];
    };
    expect(report.decisions).toBe(DECISIONS);
    expect(report.counts).toEqual({
      "newly admitted": planted,
      "newly refused": 0,
      "changed code": 0,
      unknown: 0,
      same: DECISIONS - planted,
    });
    expect(report.findings).toHaveLength(1);
    expect(report.findings[0]).toMatchObject({
      category: "newly admitted",
      count: planted,
      served: { route: "GET /admin/audit", outcome: "refuse", stage: "authorize", code: "forbidden" },
      candidate: { route: "GET /admin/audit", outcome: "admit" },
    });
    expect(report.findings[0]?.examples).toHaveLength(3);
  });

  it("and nothing where nothing was planted", () => {
    const { code, out } = run(["replay", "part.jsonl", "same.json", "--fail-on", "newly-admitted,unknown"]);
    expect(out).toContain("same            3000");
    expect(code).toBe(0);
  });

  it("is not content with a log in which there is no decision", () => {
    writeFileSync(path("empty.jsonl"), "no log\n");
    const replay = (...more: string[]): ReturnType<typeof run> =>
      run(["replay", "empty.jsonl", "same.json", ...more]);
    expect(replay("--fail-on", "newly-admitted")).toMatchObject({
      code: 1,
      out: expect.stringContaining("there is nothing to replay"),
    });
    expect(replay().code).toBe(0);
  });
});
