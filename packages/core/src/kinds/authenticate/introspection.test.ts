/** What is remembered of opaque tokens has a bound. */
import { createHash } from "node:crypto";
import { inspect } from "node:util";
import { Recent } from "../../lib/recent.js";
import { expect, it, vi } from "vitest";
import { utf8 } from "../../lib/bytes.js";
import type { IntrospectionSettings } from "../../model/policy.js";
import { stateFor } from "../../model/state.test-support.js";
import { platform } from "../../platform/node.js";
import { Credential } from "./credential.js";
import { introspectionJudge } from "./introspection.js";
import { IntrospectionMemory } from "./introspection-memory.js";
import { bad } from "./judgement.js";

const SETTINGS: IntrospectionSettings = {
  type: "introspection",
  url: "https://id.test/introspect",
  client: { id: "api", secret: { secret: "env:S" } },
  issuer: "unchecked",
  audience: "unchecked",
  in: "header",
  failures: "unlimited",
};

/** Every token is remembered as a bad one. @returns whether its issuer had to be asked */
function asking(): (token: string) => Promise<boolean> {
  let calls = 0;
  const said = {
    kind: "introspected",
    outcome: bad("no matter"),
    binding: undefined,
    notBefore: -Infinity,
    notAfter: Infinity,
  } as const;
  const judge = introspectionJudge({
    settings: SETTINGS,
    pointer: "",
    name: "opaque",
    call: () => {
      calls += 1;
      return Promise.resolve({
        kind: "answer",
        status: 200,
        header: () => "application/json",
        body: utf8("{}"),
      });
    },
    prove: () => Promise.resolve({ headers: {}, parameters: {} }),
    judge: () => said,
    memory: new IntrospectionMemory(SETTINGS, ""),
    sender: undefined,
    monotonic: () => 0,
  });
  const state = stateFor({});
  return async (token) => {
    const before = calls;
    await judge(new Credential(token, 0, platform), state);
    return calls > before;
  };
}

it("10,000 tokens are remembered at most, and those go that were not used for longest", async () => {
  const asked = asking();
  const ask = (index: number): Promise<boolean> => asked(`t${index}`);
  for (let index = 0; index < 10_000; index += 1) expect(await ask(index)).toBe(true);
  expect(await ask(0)).toBe(false);
  expect(await ask(10_000)).toBe(true);
  expect([await ask(0), await ask(10_000), await ask(2), await ask(1)]).toEqual([false, false, false, true]);
});

it("a token is remembered by its hash, and the token itself is not", async () => {
  const ask = asking();
  const set = vi.spyOn(Recent.prototype, "set");
  const token = "c4n4ry-token";
  expect([await ask(token), await ask(token)]).toEqual([true, false]);
  expect(set.mock.calls.map(([key]): unknown => key)).toEqual([
    createHash("sha256").update(token).digest("hex"),
  ]);
  expect(inspect(set.mock.calls, { depth: 20 })).not.toContain("c4n4ry");
  set.mockRestore();
});
