/**
 * Generated requests are held against the engine: what is certain to be admitted is, and what is certain to be refused is, for the
 * example's policy and for every policy of the cases.
 */
import { checkPolicy, type PolicyDocument } from "@gatehouse/core";
import { caseFiles, prepareCase } from "@gatehouse/core/conformance";
import { readPolicy } from "@gatehouse/core/node";
import { policyKit, type PolicyKit } from "@gatehouse/core/testing";
import { arbitrariesFor, type GeneratedRequest } from "@gatehouse/core/testing/properties";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const orders = new URL("../../examples/orders/policy.jsonc", import.meta.url).pathname;

/** Every check that a policy names, taken for granted. */
function checksIn(policy: unknown): Record<string, true> {
  const names = [...JSON.stringify(policy).matchAll(/"check":("[^"]+"|\[[^\]]*\])/gu)].flatMap(
    ([, written = "[]"]) => JSON.parse(written) as string | string[],
  );
  return Object.fromEntries(names.map((name) => [name, true]));
}

async function ask(kit: PolicyKit, { as, request }: GeneratedRequest) {
  kit.reset();
  const caller = as === undefined ? kit.anonymous : kit.as(as);
  return caller.request(request);
}

interface Tally {
  readonly found: string[];
  admitted: number;
  refused: number;
}

const BY_LIMIT: readonly unknown[] = ["rate-limited", "capacity-reduced", "missing-limit-fact"];

/** What came out otherwise, for at most `runs` requests of each kind. */
async function contradictions(
  policy: PolicyDocument,
  runs: number,
  tally: Tally,
  name: string,
): Promise<void> {
  const kit = await policyKit(policy, { checks: checksIn(policy) });
  const { requests, nearMisses } = arbitrariesFor(policy, fc);
  for (const make of [requests, nearMisses]) {
    for (const made of samples(make, runs)) {
      const result = await ask(kit, made);
      if (!made.certain || BY_LIMIT.includes(result.code)) continue;
      const asSaid =
        made.fault === undefined
          ? result.outcome === "admit"
          : result.outcome === "refuse" && result.status < 500;
      if (made.fault === undefined) tally.admitted += 1;
      else tally.refused += 1;
      if (!asSaid)
        tally.found.push(`${name}: ${result.outcome} ${result.code ?? ""} ${JSON.stringify(made)}`);
    }
  }
  await kit.close();
}

/** None where nothing of the kind can be made: a policy without routes, or one that nobody is let in by. */
function samples(make: () => fc.Arbitrary<GeneratedRequest>, numRuns: number): readonly GeneratedRequest[] {
  try {
    return fc.sample(make(), { numRuns, seed: 7 });
  } catch (error) {
    if (error instanceof TypeError && /can be made for/u.test(error.message)) return [];
    throw error;
  }
}

describe("requests that are generated from a policy", () => {
  it("come out as they say, for the orders API", { timeout: 60_000 }, async () => {
    const tally: Tally = { found: [], admitted: 0, refused: 0 };
    await contradictions(await readPolicy(orders), 300, tally, "orders");
    expect(tally).toEqual({ found: [], admitted: 300, refused: 300 });
  });

  it("come out as they say, for every policy of the cases", { timeout: 300_000 }, async () => {
    const tally: Tally = { found: [], admitted: 0, refused: 0 };
    const policies = caseFiles().flatMap(({ path, file }) => {
      const cases = new Map(file.cases.map((one) => [one.policy, one]));
      return [...cases].map(([name, one]) => {
        // A case may hold a wrong document on purpose.
        const policy = prepareCase(file, one).policy as PolicyDocument;
        return { name: `${path} ${name}`, policy };
      });
    });
    const served = policies.filter(
      ({ policy }) => !checkPolicy(policy).some(({ severity }) => severity === "error"),
    );
    for (const { name, policy } of served) await contradictions(policy, 12, tally, name);
    expect(tally.found).toEqual([]);
    expect(served.length).toBeGreaterThan(50);
    expect(tally.admitted).toBeGreaterThan(300);
    expect(tally.refused).toBeGreaterThan(300);
  });
});

describe("people and targets", () => {
  it("are those that a route is for", async () => {
    const { people } = arbitrariesFor(await readPolicy(orders), fc);
    const sampled = fc.sample(people("POST /orders"), { numRuns: 60, seed: 1 });
    expect(new Set(sampled.map(({ authenticator }) => authenticator))).toEqual(new Set(["user"]));
    expect(new Set(sampled.flatMap(({ roles = [] }) => roles))).toEqual(
      new Set(["admin", "clerk", "customer"]),
    );
    expect(sampled.every(({ scopes }) => scopes?.includes("orders:write"))).toBe(true);
    const admins = fc.sample(people("GET /admin/audit"), { numRuns: 20, seed: 1 });
    expect(admins.every(({ roles }) => roles?.includes("admin"))).toBe(true);
  });

  it("are other spellings of a path too, none of which lets anybody in", async () => {
    const policy = await readPolicy(orders);
    const sampled = fc.sample(arbitrariesFor(policy, fc).targets("GET /admin/audit"), {
      numRuns: 200,
      seed: 1,
    });
    expect(sampled).toEqual(
      expect.arrayContaining(["/admin/audit", "//admin/audit", "/%61dmin/audit", "/x/../admin/audit"]),
    );
    const kit = await policyKit(policy);
    for (const target of new Set(sampled)) expect((await kit.anonymous.get(target)).outcome).toBe("refuse");
    await kit.close();
  });

  it("are of a route that there is, and of a policy that can be served", async () => {
    const policy = await readPolicy(orders);
    const { requests, people } = arbitrariesFor(policy, fc);
    expect(() => requests("POST /order")).toThrow(
      "the policy has no route `POST /order`: did you mean `POST /orders`?",
    );
    expect(() => people("GET /health")).toThrow("no person can be made for `GET /health`");
    expect(() => arbitrariesFor({ ...policy, routes: { x: {} } }, fc)).toThrow("the policy cannot be served");
  });
});
