/**
 * `reload_is_atomic` over real sockets: 100 swaps while requests keep coming; every answer is of exactly one policy, none is lost, and
 * limits go on counting.
 */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEngine, type DecisionEvent, type Engine, type PolicyDocument } from "@gatehouse/core";
import { watchPolicy } from "@gatehouse/core/node";
import { gatehouse } from "@gatehouse/fastify";
import { createServer } from "@gatehouse/node-http";
import fastify from "fastify";
import { afterEach, describe, expect, it } from "vitest";

const SWAPS = 100;
const CLIENTS = 8;
const LIMIT = 1_000_000;
const NAMES = ["red", "green", "blue"] as const;

/** So that the same route has another number in each: a table of one policy with the rules of the next would show. */
function otherRoutes(name: string): PolicyDocument["routes"] {
  const count = (NAMES as readonly string[]).indexOf(name);
  const paths = Array.from({ length: Math.max(count, 0) }, (_, index) => `POST /other/${index}`);
  return Object.fromEntries(paths.map((path) => [path, { authenticate: "none", response: false } as const]));
}

/** Each disagrees with the others on a field, on what leaves, and on what an error looks like. */
function policyOf(name: string): PolicyDocument {
  return {
    gatehouse: 1,
    name,
    transport: { https: "off" },
    headers: { "X-Policy": name },
    limits: { all: { limit: LIMIT, window: "1d" } },
    errors: { bodies: { "404": { policy: name } } },
    routes: {
      ...otherRoutes(name),
      "POST /work": {
        authenticate: "none",
        limits: ["all"],
        request: { body: { type: "object", properties: { n: { type: "integer" } } } },
        response: { body: { type: "object", properties: { [name]: { type: "string" } } } },
      },
    },
  };
}

/** What every handler would like to send: of it exactly the part of one policy leaves. */
const ALL = Object.fromEntries(NAMES.map((name) => [name, name]));

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

interface Answer {
  readonly status: number;
  readonly policy: unknown;
  readonly limit: unknown;
  readonly body: string;
}

function send(agent: Agent, port: number, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const body = '{"n":1}';
    const headers = { "Content-Type": "application/json", "Content-Length": body.length };
    const sent = request({ agent, port, host: "127.0.0.1", path, method: "POST", headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("error", reject);
      response.on("end", () => {
        const { "x-policy": policy, ratelimit: limit } = response.headers;
        resolve({ status: response.statusCode ?? 0, policy, limit, body: text });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

const ended: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

/** @param swap puts the next policy in force */
async function underLoad(
  engine: Engine,
  port: number,
  swap: (name: string, round: number) => Promise<void>,
): Promise<readonly Answer[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  ended.push(() => agent.destroy());
  const answers: Answer[] = [];
  const load = { goesOn: true };
  let sent = 0;
  const client = async (): Promise<void> => {
    while (load.goesOn) {
      sent += 1;
      const path = sent % 10 === 0 ? "/nothing" : "/work";
      answers.push(await send(agent, port, path));
    }
  };
  const clients = Array.from({ length: CLIENTS }, client);
  for (let round = 0; round < SWAPS; round++) {
    const before = engine.revision;
    await swap(NAMES[round % NAMES.length] ?? "", round);
    expect(engine.revision).not.toBe(before);
    await turns(round % 7);
  }
  load.goesOn = false;
  await Promise.all(clients);
  expect(answers).toHaveLength(sent);
  return answers;
}

function judge(
  answers: readonly Answer[],
  events: readonly DecisionEvent[],
  names: ReadonlyMap<string, string>,
): void {
  for (const { status, policy, body } of answers) {
    expect(NAMES).toContain(policy);
    const expected = status === 200 ? { [String(policy)]: policy } : { policy };
    expect([status, JSON.parse(body)]).toEqual([status === 200 ? 200 : 404, expected]);
  }
  expect(new Set(answers.map(({ policy }) => policy)).size).toBe(NAMES.length);
  // What operators were told is what went out, decision by decision.
  const told = events.map(({ revision, policy }) => [names.get(revision), policy]);
  for (const [byRevision, byName] of told) expect(byRevision).toBe(byName);
  const count = (list: readonly unknown[]): Record<string, number> =>
    Object.fromEntries(NAMES.map((name) => [name, list.filter((one) => one === name).length]));
  expect(count(events.map(({ policy }) => policy))).toEqual(count(answers.map(({ policy }) => policy)));
  // No swap has forgotten what was counted.
  const admitted = answers.filter(({ status }) => status === 200);
  const left = admitted.map(({ limit }) => Number(/;r=(\d+)/.exec(String(limit))?.[1]));
  expect(Math.min(...left)).toBe(LIMIT - admitted.length);
}

async function revisions(): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const name of NAMES) found.set((await createEngine(policyOf(name))).revision, name);
  return found;
}

describe("reload_is_atomic under load (B10.152)", () => {
  it("on node:http, from a file that is put in its place", async () => {
    const folder = mkdtempSync(join(tmpdir(), "gatehouse-load-"));
    ended.push(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "policy.json");
    const put = (name: string): void => {
      writeFileSync(`${file}~`, JSON.stringify(policyOf(name)));
      renameSync(`${file}~`, file);
    };
    put("blue");
    const events: DecisionEvent[] = [];
    const engine = await createEngine(policyOf("blue"), { onDecision: (event) => void events.push(event) });
    ended.push(() => engine.close());
    const follower = await watchPolicy(engine, file);
    ended.push(() => follower.close());
    await follower.ready;
    const server: Server = createServer(engine, async (_, response) => {
      await turns(3);
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify(ALL));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    ended.push(() => new Promise<void>((resolve) => void server.close(() => resolve())));
    const { port } = server.address() as AddressInfo;
    const answers = await underLoad(engine, port, async (name) => {
      put(name);
      await follower.check();
    });
    judge(answers, events, await revisions());
    expect(follower.status).toMatchObject({ state: "current", problem: undefined });
  }, 60_000);

  it("on fastify, with a candidate in shadow and secrets that change meanwhile", async () => {
    const events: DecisionEvent[] = [];
    let told: () => void = () => undefined;
    let secret = 0;
    const rotated: string[] = [];
    const withKey = (name: string): PolicyDocument => ({
      ...policyOf(name),
      redaction: { key: { secret: "vault:key" } },
    });
    const engine = await createEngine(withKey("blue"), {
      onDecision: (event) => void events.push(event),
      onSecrets: ({ outcome }) => void rotated.push(outcome),
      secretOverlap: "1ms",
      secrets: {
        get: () => `a secret of hashes, ${secret}`,
        watch: (_, changed) => {
          told = changed;
          return () => undefined;
        },
      },
    });
    ended.push(() => engine.close());
    let differences = 0;
    await engine.shadow(withKey("candidate"), { onDifference: () => void (differences += 1), sample: 0.5 });
    const app = fastify();
    await app.register(gatehouse, { engine, inventory: "off" });
    app.post("/work", async () => {
      await turns(3);
      return ALL;
    });
    await app.listen({ port: 0, host: "127.0.0.1" });
    ended.push(() => app.close());
    const { port } = app.server.address() as AddressInfo;
    const answers = await underLoad(engine, port, async (name, round) => {
      secret = Math.floor(round / 10);
      told();
      await engine.replace(withKey(name));
    });
    const names = new Map<string, string>();
    for (const name of NAMES) {
      const { revision } = await createEngine(withKey(name), {
        secrets: { get: () => "a secret of hashes" },
      });
      names.set(revision, name);
    }
    judge(answers, events, names);
    // The candidate lets in what they let in, and shapes no answer.
    expect(differences).toBe(0);
    expect(engine.shadowing?.failed).toBe(0);
    expect(engine.shadowing?.compared).toBeGreaterThan(0);
    expect(rotated).not.toContain("kept");
  }, 60_000);
});
