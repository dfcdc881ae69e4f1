/** `reload_is_atomic`: each exchange is explained by exactly one revision, however often the policy is swapped under it. */
import { createEngine, PolicyError, type DecisionEvent, type PolicyDocument } from "@gatehouse/core";
import { describe, expect, it } from "vitest";
import { through } from "./support.js";

/** Two policies that disagree on everything that an exchange can show. */
function policyOf(which: "a" | "b"): PolicyDocument {
  return {
    gatehouse: 1,
    name: which,
    transport: { https: "off" },
    headers: { "X-Policy": which },
    limits: { few: { limit: 3, window: "1h", by: "client.ip" } },
    routes: {
      [`GET /${which}`]: { authenticate: "none" },
      "POST /both": {
        authenticate: "none",
        request: { body: { type: "object", properties: { [which]: { type: "boolean" } } } },
        response: { body: { type: "object", properties: { [which]: { type: "string" } } } },
      },
      "GET /few": { authenticate: "none", limits: ["few"] },
    },
  };
}

const get = (target: string): Parameters<typeof through>[1] => ({
  method: "GET",
  target,
  headers: [["Host", "a.test"]],
  remoteAddress: "203.0.113.7",
});

describe("reload_is_atomic (B10.152)", () => {
  it("an exchange keeps the policy that it began with, between head, body, answer and end", async () => {
    const events: DecisionEvent[] = [];
    const engine = await createEngine(policyOf("a"), { onDecision: (event) => void events.push(event) });
    const revisions = new Map([[engine.revision, "a"]]);
    await engine.replace(policyOf("b"));
    revisions.set(engine.revision, "b");
    for (let round = 0; round < 200; round++) {
      const before = revisions.get(engine.revision) ?? "";
      const after = before === "a" ? "b" : "a";
      const body = JSON.stringify({ [before]: true });
      const exchange = engine.open({
        method: "POST",
        target: "/both",
        headers: [
          ["Host", "a.test"],
          ["Content-Type", "application/json"],
          ["Content-Length", String(body.length)],
        ],
      });
      const swap = (moment: number): Promise<void> =>
        round % 3 === moment ? engine.replace(policyOf(after)) : Promise.resolve();
      const head = await exchange.head();
      expect(head.outcome).toBe("continue");
      await swap(0);
      const decision = await exchange.body({ bytes: Buffer.from(body), complete: true });
      expect(decision.outcome).toBe("admit");
      await swap(1);
      const shaped = exchange.respond({ status: 200, headers: [], body: { a: "of a", b: "of b" } });
      expect(Buffer.from(shaped.body ?? "").toString()).toBe(JSON.stringify({ [before]: `of ${before}` }));
      expect(shaped.headers.find(([name]) => name === "X-Policy")).toEqual(["X-Policy", before]);
      await swap(2);
      exchange.end(200);
      expect(revisions.get(events.at(-1)?.revision ?? "")).toBe(before);
      expect(revisions.get(engine.revision)).toBe(after);
    }
  });

  it("a policy that does not compile changes nothing", async () => {
    const engine = await createEngine(policyOf("a"));
    const revision = engine.revision;
    const broken: unknown = { ...policyOf("b"), routes: { "GET /b": {} } };
    await expect(engine.replace(broken as PolicyDocument)).rejects.toBeInstanceOf(PolicyError);
    expect(engine.revision).toBe(revision);
    expect((await engine.evaluate(get("/a"))).outcome).toBe("admit");
    expect((await engine.evaluate(get("/b"))).outcome).toBe("refuse");
  });

  it("a policy that one binding cannot tell apart is refused as a whole", async () => {
    const engine = await createEngine(policyOf("a"));
    const folding = engine.bind({ caseSensitive: false });
    const twins: PolicyDocument = {
      ...policyOf("b"),
      routes: { "GET /x": { authenticate: "none" }, "GET /X": { authenticate: "none" } },
    };
    await expect(engine.replace(twins)).rejects.toBeInstanceOf(PolicyError);
    expect((await folding.evaluate(get("/A"))).outcome).toBe("admit");
    expect((await engine.evaluate(get("/a"))).outcome).toBe("admit");
  });

  it("limits keep their state (B10.155)", async () => {
    const engine = await createEngine(policyOf("a"));
    const statuses: string[] = [];
    for (let round = 0; round < 5; round++) {
      statuses.push((await through(engine, get("/few"))).decision.outcome);
      await engine.replace(policyOf(round % 2 === 0 ? "b" : "a"));
    }
    expect(statuses).toEqual(["admit", "admit", "admit", "refuse", "refuse"]);
  });

  it("the document can be changed after it was handed in: nothing follows", async () => {
    const document = structuredClone(policyOf("a")) as { routes: Record<string, unknown> };
    const engine = await createEngine(document as unknown as PolicyDocument);
    document.routes["GET /b"] = { authenticate: "none" };
    expect((await engine.evaluate(get("/b"))).outcome).toBe("refuse");
  });
});
