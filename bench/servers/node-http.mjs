// node:http: bare, with the same work put together by hand, and with the policy.
import { createSecretKey } from "node:crypto";
import { createServer } from "node:http";
import { createServer as createGuarded } from "@gatehouse/node-http";
import { Ajv } from "ajv";
import cors from "cors";
import fastRedact from "fast-redact";
import helmet from "helmet";
import jsonwebtoken from "jsonwebtoken";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { listen } from "./listen.mjs";
import { audience, hidden, issuer, newOrder, origin, placeOrder, readOrder, role, secret } from "./work.mjs";

export { byHand } from "./by-hand.mjs";

export const gatehouse = ({ engine, layers }) =>
  listen(
    createGuarded(engine, (req, _res, context) => {
      if (req.method === "GET") return context.send(readOrder());
      if (layers.includes("body")) return context.send(placeOrder(context.body), { status: 201 });
      readJson(req, (value) => context.send(placeOrder(value), { status: 201 }));
    }),
  );

export const bare = () => listen(createServer((req, res) => handle(req, res, () => true, JSON.stringify)));

export function stack({ layers, limit, prepared }) {
  const has = (layer) => layers.includes(layer);
  const steps = [
    ...(has("headers") ? [stepOf(helmet({ strictTransportSecurity: false }))] : []),
    ...(has("cors") ? [stepOf(cors({ origin: [origin] }))] : []),
    ...(has("limit") ? [limited(limit)] : []),
    ...(has("jwt") ? [authenticated(prepared)] : []),
  ];
  const valid = has("body") ? new Ajv().compile(newOrder) : () => true;
  const write = has("response") ? fastRedact({ paths: hidden, remove: true }) : JSON.stringify;
  return listen(
    createServer((req, res) => {
      void passed(steps, req, res).then((went) => went && handle(req, res, valid, write));
    }),
  );
}

async function passed(steps, req, res) {
  for (const step of steps) if (!(await step(req, res))) return false;
  return true;
}

function handle(req, res, valid, write) {
  if (req.method === "GET" && req.url.startsWith("/orders/")) return answer(res, 200, write(readOrder()));
  if (req.method !== "POST" || req.url !== "/orders") return answer(res, 404, "{}");
  readJson(
    req,
    (value) => (valid(value) ? answer(res, 201, write(placeOrder(value))) : answer(res, 422, "{}")),
    () => answer(res, 400, "{}"),
  );
}

function answer(res, status, body) {
  res.statusCode = status;
  res.setHeader("Content-Type", "application/json; charset=utf-8");
  res.setHeader("Content-Length", Buffer.byteLength(body));
  res.end(body);
}

function readJson(req, use, refuse) {
  const chunks = [];
  req.on("data", (chunk) => chunks.push(chunk));
  req.on("end", () => {
    let value;
    try {
      value = JSON.parse(Buffer.concat(chunks).toString());
    } catch {
      return refuse();
    }
    use(value);
  });
}

/** Both call back at once, or have answered by themselves (a preflight). */
const stepOf = (middleware) => (req, res) => {
  let passed = false;
  middleware(req, res, () => (passed = true));
  return passed;
};

function limited(points) {
  const limiter = new RateLimiterMemory({ points, duration: 3600 });
  const show = (res, { remainingPoints, msBeforeNext }) => {
    res.setHeader("RateLimit-Policy", `${points};w=3600`);
    res.setHeader(
      "RateLimit",
      `limit=${points}, remaining=${remainingPoints}, reset=${Math.ceil(msBeforeNext / 1000)}`,
    );
  };
  return async (req, res) => {
    try {
      show(res, await limiter.consume(req.socket.remoteAddress));
      return true;
    } catch (refusal) {
      show(res, refusal);
      answer(res, 429, "{}");
      return false;
    }
  };
}

function authenticated(prepared) {
  const key = prepared ? createSecretKey(Buffer.from(secret)) : secret;
  return (req, res) => {
    const [scheme, token] = (req.headers.authorization ?? "").split(" ");
    try {
      if (scheme !== "Bearer") throw new Error("no token");
      req.user = jsonwebtoken.verify(token, key, { algorithms: ["HS256"], issuer, audience });
    } catch {
      answer(res, 401, "{}");
      return false;
    }
    if (req.user.roles?.includes(role)) return true;
    answer(res, 403, "{}");
    return false;
  };
}
