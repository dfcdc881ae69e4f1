// Express 5: bare, with the usual middleware, and with the policy. No side sends an ETag, so that none pays for one.
import { createSecretKey } from "node:crypto";
import { createServer } from "node:http";
import { gatehouse as guard } from "@gatehouse/express";
import { Ajv } from "ajv";
import cors from "cors";
import express from "express";
import { expressjwt } from "express-jwt";
import { rateLimit } from "express-rate-limit";
import fastRedact from "fast-redact";
import helmet from "helmet";
import { listen } from "./listen.mjs";
import { audience, hidden, issuer, newOrder, origin, placeOrder, readOrder, role, secret } from "./work.mjs";

export const gatehouse = ({ engine, layers }) =>
  served((app) => {
    app.use(guard(engine, { inventory: "strict" }));
    if (!layers.includes("body")) app.use(express.json());
  });

export const bare = () => served((app) => app.use(express.json()));

export const stack = ({ layers, limit, prepared }) => {
  const has = (layer) => layers.includes(layer);
  const send = has("response") ? sendRedacted() : undefined;
  return served((app) => {
    // Over plain HTTP a browser ignores it, and the policy does not send it.
    if (has("headers")) app.use(helmet({ strictTransportSecurity: false }));
    if (has("cors")) app.use(cors({ origin: [origin] }));
    if (has("limit"))
      app.use(rateLimit({ windowMs: 3_600_000, limit, standardHeaders: "draft-8", legacyHeaders: false }));
    if (has("jwt")) {
      const key = prepared ? createSecretKey(Buffer.from(secret)) : secret;
      app.use(expressjwt({ secret: key, algorithms: ["HS256"], issuer, audience }), requireRole);
    }
    app.use(express.json());
    if (has("body")) app.post("/orders", validated());
  }, send);
};

function served(prepare, send = (res, value) => res.json(value)) {
  const app = express().disable("etag");
  prepare(app);
  app.get("/orders/:id", (_req, res) => send(res, readOrder()));
  app.post("/orders", (req, res) => send(res.status(201), placeOrder(req.body)));
  app.use((error, _req, res, _next) => res.status(error.status ?? 500).json({ error: error.message }));
  return listen(createServer(app));
}

function requireRole(req, res, next) {
  if (req.auth.roles?.includes(role)) return next();
  res.status(403).json({ error: "forbidden" });
}

function validated() {
  const valid = new Ajv().compile(newOrder);
  return (req, res, next) => (valid(req.body) ? next() : res.status(422).json({ errors: valid.errors }));
}

function sendRedacted() {
  const redact = fastRedact({ paths: hidden, remove: true });
  return (res, value) => res.type("json").send(redact(value));
}
