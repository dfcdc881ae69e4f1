import { expect, it } from "vitest";
import { resolvePolicy } from "../../compile/resolve.js";
import { Report } from "../../errors/diagnostics.js";
import type { CompileEnvironment } from "../../model/kind.js";
import type { ResponseSettings } from "../../model/policy.js";
import { encodeKind } from "./index.js";

async function encoderFor(response: ResponseSettings): Promise<((json: string) => string) | undefined> {
  const policy = resolvePolicy(
    { gatehouse: 1, name: "t", routes: { "GET /": { authenticate: "none", response } } },
    new Report(),
  );
  if (policy === undefined) throw new Error("the document could not be resolved");
  const compiled = await encodeKind.compile(policy, {} as CompileEnvironment);
  const [route] = policy.routes;
  return route === undefined ? undefined : compiled.encode?.(route);
}

it("escapes where the route says so", async () => {
  expect((await encoderFor({ encode: true }))?.('"<b>"')).toBe('"\\u003cb\\u003e"');
});

it("is absent where it is not asked for", async () => {
  expect(await encoderFor({})).toBeUndefined();
  expect(await encoderFor({ encode: false })).toBeUndefined();
});
