/** Methods that fastify's router knows nothing of, not even a 404: Node's parser hands some on where a request names no version. */
import { describe, expect, it } from "vitest";
import { policyOf } from "../servers/wire.js";
import { ask, serve } from "./support.js";

describe.each(["PRI", "DESCRIBE", "TEARDOWN"])("%s without a version", (method) => {
  it("is decided, and the application hears nothing of it", async () => {
    const heard: unknown[] = [];
    const served = await serve(policyOf({ "GET /x": {} }, { headers: { "X-Of-The-Policy": "a" } }), (app) => {
      app.setErrorHandler((error) => void heard.push(error));
    });
    const answer = await ask(served, `${method} /x`);
    expect([answer.status, answer.header("x-of-the-policy")]).toEqual([405, "a"]);
    expect(answer.header("content-type")).toBe("application/problem+json");
    expect(served.events.map(({ outcome, code }) => [outcome, code])).toEqual([
      ["refuse", "method-not-allowed"],
    ]);
    expect(heard).toEqual([]);
  });

  it("is no method of `*` either", async () => {
    const served = await serve(policyOf({ "* /*": {} }), () => 0);
    expect((await ask(served, `${method} /x`)).status).toBe(405);
  });

  it("is fastify's own where the policy observes", async () => {
    const served = await serve({ ...policyOf({ "GET /x": {} }), mode: "observe" }, () => 0);
    const answer = await ask(served, `${method} /x`);
    expect([answer.status, answer.text]).toEqual([404, expect.stringContaining("FST_ERR_NOT_FOUND")]);
    expect(served.events).toHaveLength(1);
  });
});
