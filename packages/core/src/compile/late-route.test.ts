/** Routes are put together when they are first asked for. What the checks before should have seen must not become an open door then. */
import { expect, it, vi } from "vitest";
import { createEngine, PolicyError, type PolicyDocument } from "../index.js";
import { authorizeKind } from "../kinds/authorize/index.js";

it.each(["when", "forbid"])("a route of which a part cannot be made lets nobody in: `%s`", async (part) => {
  const policy: PolicyDocument = {
    gatehouse: 1,
    name: "late",
    transport: { https: "off" },
    routes: { "GET /a": { authenticate: "none", authorize: { [part]: "nobody.knows == 1" } } },
  };
  const blind = vi.spyOn(authorizeKind, "check").mockImplementation(() => undefined);
  try {
    const engine = await createEngine(policy);
    const ask = async (): Promise<unknown> =>
      engine.evaluate({ method: "GET", target: "/a", headers: [["Host", "a.test"]] });
    for (let round = 0; round < 2; round += 1) await expect(ask()).rejects.toThrow(PolicyError);
    await engine.close();
  } finally {
    blind.mockRestore();
  }
});
