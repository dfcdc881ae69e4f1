// Fastify 5: bare, with its own plugins and schemas, and with the policy.
import fastifyCors from "@fastify/cors";
import fastifyHelmet from "@fastify/helmet";
import fastifyJwt from "@fastify/jwt";
import fastifyRateLimit from "@fastify/rate-limit";
import { gatehouse as guard } from "@gatehouse/fastify";
import Fastify from "fastify";
import { patient } from "./listen.mjs";
import {
  audience,
  issuer,
  newOrder,
  origin,
  placeOrder,
  readOrder,
  role,
  secret,
  shownOrder,
} from "./work.mjs";

export async function gatehouse({ engine }) {
  const app = Fastify({ http: { requireHostHeader: false } });
  await app.register(guard, { engine, inventory: "strict" });
  return served(app);
}

export const bare = () => served(Fastify());

/** @param options `prepared`: with the plugin's cache of verified tokens, which its documentation leaves off */
export async function stack({ layers, limit, prepared }) {
  const has = (layer) => layers.includes(layer);
  const app = Fastify();
  if (has("headers")) await app.register(fastifyHelmet, { strictTransportSecurity: false });
  if (has("cors")) await app.register(fastifyCors, { origin: [origin] });
  if (has("limit")) await app.register(fastifyRateLimit, { max: limit, timeWindow: 3_600_000 });
  if (has("jwt")) {
    const verify = { algorithms: ["HS256"], allowedIss: issuer, allowedAud: audience, cache: prepared };
    await app.register(fastifyJwt, { secret, verify });
  }
  const onRequest = has("jwt") ? [authenticate, requireRole] : [];
  const response = has("response") ? { response: { "2xx": shownOrder } } : {};
  return served(app, {
    get: { onRequest, schema: response },
    post: { onRequest, schema: has("body") ? { body: newOrder, ...response } : response },
  });
}

function served(app, { get = {}, post = {} } = {}) {
  app.get("/orders/:id", get, (_request, reply) => reply.send(readOrder()));
  app.post("/orders", post, (request, reply) => reply.code(201).send(placeOrder(request.body)));
  patient(app.server);
  return app.listen({ port: 0, host: "127.0.0.1" }).then(() => app.server.address().port);
}

async function authenticate(request) {
  await request.jwtVerify();
}

function requireRole(request, reply, done) {
  if (request.user.roles?.includes(role)) return done();
  reply.code(403).send({ error: "forbidden" });
}
