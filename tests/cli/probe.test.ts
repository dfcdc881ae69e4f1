/** A server that does what its policy says, and servers that each do one thing otherwise. */
import { describe, expect, it } from "vitest";
import { probe, type Holder, type ProbeOptions, type ProbeReport } from "gatehouse";
import { PLANTS, type Plant } from "./probe-plants.js";
import { HANDED, HOST, ordersPolicy, PASSWORD, serve, type Draft } from "./probe-servers.js";

const policy = ordersPolicy();

async function probed(
  plant: Pick<Plant, "framework" | "served" | "before" | "upgrade">,
  options: ProbeOptions,
): Promise<ProbeReport> {
  const { framework = "express", served, before, upgrade } = plant;
  const server = await serve(framework, ordersPolicy(served), { before, upgrade });
  try {
    return await probe(server.url, policy, { ...HANDED, host: HOST, ...options });
  } finally {
    await server.close();
  }
}

/** It waits for nothing, but a machine may be busy with other things. */
const PATIENT = { timeout: 120_000 };

describe("a healthy server", PATIENT, () => {
  it("has no disagreement, whatever is asked about", async () => {
    const report = await probed({}, {});
    expect(report.disagreements).toEqual([]);
    expect(report.asked).toBeGreaterThan(500);
  });

  it.each(["node-http", "fastify", "hono"] as const)("has none on another server: %s", async (framework) => {
    const report = await probed({ framework }, { routes: ["GET /health", "GET /admin/audit"] });
    expect(report.disagreements).toEqual([]);
    expect(report.asked).toBeGreaterThan(150);
  });

  it("has none where limits are spent, either", async () => {
    const report = await probed(
      {},
      { only: ["limits"], floods: true, routes: ["GET /health", "POST /login"] },
    );
    expect(report.requests).toBeGreaterThan(300);
    expect(report.disagreements).toEqual([]);
  });
});

describe("what a limit's plant is found by", PATIENT, () => {
  const flooding = PLANTS.filter(({ floods }) => floods === true);

  it.each(flooding.map((plant) => [plant.name, plant] as const))(
    "finds nothing on a healthy server: %s",
    async (_name, { only, floods, found, route }) => {
      const { disagreements, notAsked } = await probed({}, { only, floods, routes: [route] });
      expect(disagreements).toEqual([]);
      // The limit was spent: nothing else would be a control.
      expect(notAsked.filter(({ example }) => found.message?.test(example))).toEqual([]);
    },
  );
});

describe("a planted disagreement is found", PATIENT, () => {
  it.each(PLANTS.map((plant) => [plant.name, plant] as const))("%s", async (_name, plant) => {
    const { only, floods, found, route: key } = plant;
    const { disagreements } = await probed(plant, { only, floods, routes: [key] });
    const matching = disagreements.filter(
      ({ kind, about, message }) =>
        kind === found.kind && (found.about?.test(about) ?? true) && (found.message?.test(message) ?? true),
    );
    // Where it is not found, what was found in its place is told.
    expect(matching.length > 0 ? "found" : disagreements).toBe("found");
  });
});

describe("somebody with a password", PATIENT, () => {
  const withStaff = (authorize: object) => (draft: Draft) => {
    draft.authenticators.staff = { type: "basic", users: { secret: "env:STAFF" } };
    draft.routes["GET /staff"] = { authenticate: ["staff"], authorize, limits: ["per-ip"] };
  };
  const policyWithStaff = ordersPolicy(withStaff({ roles: ["clerk"] }));
  const sam: Holder = {
    person: { authenticator: "staff", id: "sam", roles: ["clerk"] },
    credential: `sam:${PASSWORD}`,
  };
  const asked = async (served: object): Promise<ProbeReport> => {
    const server = await serve("node-http", ordersPolicy(withStaff(served)));
    try {
      const options = {
        ...HANDED,
        people: { sam },
        host: HOST,
        routes: ["GET /staff"],
        only: ["callers"],
      } as const;
      return await probe(server.url, policyWithStaff, options);
    } finally {
      await server.close();
    }
  };

  it("is admitted as the policy says", async () => {
    const { disagreements, notAsked } = await asked({ roles: ["clerk"] });
    expect(disagreements).toEqual([]);
    expect(notAsked).toEqual([]);
  });

  it("is refused where the server asks more", async () => {
    const { disagreements } = await asked({ roles: ["admin"] });
    expect(disagreements).toMatchObject([{ kind: "stricter", about: "sam", got: "403 forbidden" }]);
  });
});
