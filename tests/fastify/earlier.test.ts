/** What differs between versions of fastify: beside the newest one stands that which NestJS brings along, an earlier one as a rule. */
import { createRequire } from "node:module";
import Fastify from "fastify";
import { describe, expect, it } from "vitest";
import { policyOf } from "../servers/wire.js";
import { ask, serve } from "./support.js";

const requireOfNest = createRequire(
  createRequire(new URL("../../examples/orders-nestjs-fastify/package.json", import.meta.url)).resolve(
    "@nestjs/platform-fastify",
  ),
);
const COPIES = [
  ["fastify", Fastify],
  ["the fastify of NestJS", requireOfNest("fastify") as typeof Fastify],
] as const;

const POLICY = policyOf(
  { "GET|POST /x": { request: { body: { type: "object", properties: { n: { type: "integer" } } } } } },
  { headers: { "X-Of-The-Policy": "a" } },
);

describe.each(COPIES)("%s", (_name, framework) => {
  // Of these methods there is a route, or none.
  it.each(["GET", "DELETE"])(
    "%s of a target that cannot be read comes to no handler of 404",
    async (method) => {
      const heard: unknown[] = [];
      const served = await serve(
        POLICY,
        (app) => {
          app.setNotFoundHandler((request, reply) => {
            heard.push(request.url);
            return reply.code(404).send({ own: true });
          });
          app.get("/x", () => 0);
        },
        { framework },
      );
      for (const path of ["/%zz", "/x/%"]) {
        const answer = await ask(served, `${method} ${path} HTTP/1.1`);
        expect([answer.status, answer.header("x-of-the-policy")]).toEqual([400, "a"]);
      }
      expect([heard, served.events.length]).toEqual([[], 2]);
    },
  );

  it("a method that it does not know is decided", async () => {
    const served = await serve(POLICY, () => 0, { framework });
    const answer = await ask(served, "PRI /x");
    expect([answer.status, answer.header("x-of-the-policy"), served.events.length]).toEqual([405, "a", 1]);
  });

  it("a body that was read is not parsed again", async () => {
    const parsed: unknown[] = [];
    const served = await serve(
      POLICY,
      (app) => {
        app.removeAllContentTypeParsers();
        app.addContentTypeParser("*", (_request, payload, done) => {
          parsed.push(payload);
          done(null, payload);
        });
        app.post("/x", (request) => [request.method, request.body]);
      },
      { framework },
    );
    const post = "POST /x HTTP/1.1\nContent-Type: application/json";
    for (const body of ['{"n":1}', '{"n":2}'])
      expect((await ask(served, post, body)).text).toBe(`["POST",${body}]`);
    expect(parsed).toEqual([]);
  });
});
