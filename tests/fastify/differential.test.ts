/** All combinations of fastify's normalising options: the policy's route is the one whose handler runs. */
import { METHODS } from "node:http";
import { describe, expect, it } from "vitest";
import Fastify, { type FastifyInstance } from "fastify";
import { gatehouse } from "@gatehouse/fastify";
import { pass, type HandlerContext } from "@gatehouse/node-http";
import { compareRoutes, REQUESTS, type DifferentialStart } from "../servers/differential.js";
import { HTTP, portOf } from "./target.js";

const SWITCHES = ["caseSensitive", "ignoreTrailingSlash", "ignoreDuplicateSlashes", "useSemicolonDelimiter"];

const COMBINATIONS = Array.from({ length: 16 }, (_, bits) =>
  Object.fromEntries(SWITCHES.map((name, bit) => [name, ((bits >> bit) & 1) === 1])),
);

const SEED = Number(process.env["DIFFERENTIAL_SEED"] ?? Date.now() % 2 ** 31);

type Register = (app: FastifyInstance, given: DifferentialStart) => void;

const guarded: Register = (app, { engine }) =>
  void app.register(gatehouse, { engine, inventory: "strict", onError: () => undefined });

const OF_EACH = Math.ceil(REQUESTS / COMBINATIONS.length);

it(`policy_and_framework_see_one_route: fastify, ${REQUESTS} requests, seed ${SEED}`, async () => {
  const ran = new Map<string, number>();
  const keys: string[] = [];
  for (const [index, combination] of COMBINATIONS.entries()) {
    // The old spelling at the top, and the new one.
    const options = index % 2 === 0 ? combination : { routerOptions: combination };
    const tally = await compareRoutes(
      (given) => {
        keys.splice(0, keys.length, ...given.routes.map(({ key }) => encodeURI(key)));
        return start(options, given, guarded);
      },
      SEED + index,
      OF_EACH,
    );
    expect({ combination, disagreements: tally.disagreements.slice(0, 5) }).toEqual({
      combination,
      disagreements: [],
    });
    for (const [key, count] of tally.ran) ran.set(key, (ran.get(key) ?? 0) + count);
  }
  // Of few requests the rarest handlers may be asked by none.
  if (REQUESTS >= 10_000) expect([...ran.keys()].toSorted()).toEqual(keys.toSorted());
  const handled = [...ran.values()].reduce((sum, count) => sum + count, 0);
  expect(handled).toBeGreaterThan(REQUESTS / 4);
}, 120_000);

describe("the comparison itself", () => {
  it("finds a guard that matches in another way than its framework", async () => {
    const { disagreements } = await compareRoutes(
      (given) =>
        start({ routerOptions: { caseSensitive: false } }, given, (app, { engine }) => {
          const bound = engine.bind({ caseSensitive: true });
          app.decorateRequest("gatehouse", null as unknown as HandlerContext);
          app.addHook("onRequest", (request, reply, next) => {
            const onError = (): void => undefined;
            pass(bound, request.raw, reply.raw, { responseLimit: 0, onError }, (_req, _res, context) => {
              request.gatehouse = context;
              next();
            });
          });
        }),
      1,
      OF_EACH,
    );
    expect(disagreements.some((one) => one.startsWith("`GET%20/admin` ran, and `*%20/*` was decided"))).toBe(
      true,
    );
  });
});

async function start(
  options: object,
  given: DifferentialStart,
  register: Register,
): Promise<{ port: number; close(): Promise<void> }> {
  const app = Fastify({ http: HTTP, ...options }) as unknown as FastifyInstance;
  register(app, given);
  const known: readonly string[] = app.supportedMethods;
  for (const method of METHODS) {
    if (!known.includes(method) && method !== "CONNECT") app.addHttpMethod(method);
  }
  for (const route of given.routes) {
    const method = route.method === "*" ? [...app.supportedMethods] : route.method;
    app.route({
      method,
      url: route.path,
      handler: (request, reply) => reply.headers(given.fields(route, request.gatehouse.route)).send("ran"),
    });
  }
  await app.listen({ port: 0, host: "127.0.0.1" });
  return {
    port: portOf(app),
    close: async () => {
      app.server.closeAllConnections();
      await app.close();
    },
  };
}
