/**
 * The model beside the engine, on generated policies and requests, on every run. A disagreement is a defect of one of
 * them and becomes a case.
 */
import { checkPolicy, createEngine, type Decision, type Engine, type PolicyDocument } from "@gatehouse/core";
import { virtualClock, type VirtualClock } from "@gatehouse/core/conformance";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { histories, plainPolicies, policies, visits, type ModelStep } from "./arbitrary.js";
import { Model, type ModelDecision, type ModelRequest } from "./model.js";
import { through } from "../properties/support.js";
import { documentOf } from "./policy.js";
import { rawRequest } from "./raw.js";
import { find, ISSUED_BEFORE, NOW, SECRET, type Revoked } from "./world.js";

const runs = Number(process.env["GATEHOUSE_MODEL_RUNS"] ?? 400);

function usable(document: unknown): document is PolicyDocument {
  return checkPolicy(document).every(({ severity }) => severity !== "error");
}

async function engineOf(document: PolicyDocument, clock: VirtualClock): Promise<Engine> {
  return createEngine(document, { clock, secrets: { get: () => SECRET }, lookups: { find } });
}

interface Seen {
  readonly decision: ModelDecision;
  readonly leaked: boolean;
}

/** Csrf tokens by whom they were given to. */
type Tokens = Map<string, string>;

async function real(engine: Engine, request: ModelRequest, tokens: Tokens): Promise<Seen> {
  const token = request.csrfToken === undefined ? undefined : tokens.get(request.csrfToken);
  const { decision, shaped } = await through(engine, rawRequest(request, token), {
    body: { id: "1", secret: "s3cret" },
  });
  keepToken(decision, shaped?.headers ?? [], tokens);
  if (decision.outcome === "refuse") {
    return { decision: { outcome: "refuse", stage: decision.stage, status: decision.status }, leaked: false };
  }
  if (decision.outcome === "answer") {
    const allowed = decision.responseHeaders.find(([name]) => name === "Access-Control-Allow-Origin");
    const allowOrigin = allowed?.[1] === "*" ? request.origin : allowed?.[1];
    return { decision: { outcome: "answer", status: decision.status, allowOrigin }, leaked: false };
  }
  return {
    decision: { outcome: "admit", route: decision.route, person: decision.principal?.id ?? null },
    leaked: Buffer.from(shaped?.body ?? "")
      .toString()
      .includes("s3cret"),
  };
}

function keepToken(decision: Decision, fields: readonly (readonly [string, string])[], tokens: Tokens): void {
  if (decision.outcome !== "admit") return;
  for (const [name, value] of fields) {
    const token = /^__Host-csrf=([^;]+)/u.exec(value)?.[1];
    if (name.toLowerCase() !== "set-cookie" || token === undefined) continue;
    expect(decision.principal?.authenticator).toBe("sid");
    tokens.set(decision.principal?.id ?? "", token);
  }
}

async function revoke(engine: Engine, { carrier, person, by }: Revoked): Promise<void> {
  const [authenticator, id] = [carrier, person];
  switch (by) {
    case "jti":
      return engine.revoke({ authenticator, jti: `token-of-${person}` });
    case "sid":
      return engine.revoke({ authenticator, sid: `session-of-${person}` });
    case "id":
      return engine.revoke({ authenticator, id });
    case "id, but for what came later":
      return engine.revoke({ authenticator, id, before: new Date(NOW - 2 * ISSUED_BEFORE * 60_000) });
  }
}

async function disagreements(
  document: PolicyDocument,
  model: Model,
  steps: readonly ModelStep[],
  schemaOf: (route: string | null) => boolean,
): Promise<unknown[]> {
  const clock = virtualClock(NOW);
  const engine = await engineOf(document, clock);
  const found: unknown[] = [];
  const tokens: Tokens = new Map();
  for (const { request: asked, wait, revoke: revoked } of steps) {
    clock.advance(wait);
    if (revoked !== undefined) {
      await revoke(engine, revoked);
      model.revoke(revoked);
    }
    // Nobody can send a token that was never given.
    const known = asked.csrfToken !== undefined && tokens.has(asked.csrfToken);
    const request = known ? asked : { ...asked, csrfToken: undefined };
    const expected = model.decide(request, Math.floor(clock.monotonic() * 1000));
    const { decision, leaked } = await real(engine, request, tokens);
    if (JSON.stringify(decision) !== JSON.stringify(expected)) found.push({ request, expected, decision });
    if (leaked && decision.outcome === "admit" && schemaOf(decision.route)) found.push({ request, leaked });
  }
  await engine.close();
  return found;
}

describe("the model agrees with the engine", () => {
  it("most generated policies are valid: the generator would prove nothing otherwise", () => {
    const sample = fc.sample(policies, { numRuns: 200, seed: 7 });
    const valid = sample.filter((policy) => usable(documentOf(policy)));
    expect(valid.length).toBeGreaterThan(120);
  });

  it("on generated policies and histories of requests", { timeout: 240_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(policies, histories, async (policy, steps) => {
        const document = documentOf(policy);
        fc.pre(usable(document));
        const enforced = (route: string | null): boolean =>
          policy.routes.some(
            (one) => one.schema === true && `${one.methods.join("|")} /${one.path.join("/")}` === route,
          );
        const observes =
          policy.mode === "observe" ||
          [policy.defaults, ...policy.groups, ...policy.routes].some(({ mode }) => mode === "observe");
        expect(
          await disagreements(document, new Model(policy), steps, (route) => !observes && enforced(route)),
        ).toEqual([]);
      }),
      { numRuns: runs },
    );
  });

  it("on visitors who come again, and on guessers", { timeout: 240_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(plainPolicies, visits, async (policy, steps) => {
        const document = documentOf(policy);
        if (!usable(document)) throw new Error("the policy is not valid");
        expect(await disagreements(document, new Model(policy), steps, () => false)).toEqual([]);
      }),
      { numRuns: Math.ceil(runs / 2) },
    );
  });
});
