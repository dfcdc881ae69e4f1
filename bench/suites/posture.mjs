// The usual posture without HTTP: headers, CORS, a rate limit, an HS256 token, a role. By one policy, by the stack that is usually put
// together for express, and by the fastest parts that there are. Requests and answers are objects that only hold what is set.
import { strict as assert } from "node:assert";
import cors from "cors";
import { expressjwt } from "express-jwt";
import { rateLimit } from "express-rate-limit";
import { createVerifier } from "fast-jwt";
import helmet from "helmet";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { createEngine } from "@gatehouse/core";
import { fields, flat, request } from "../lib/requests.mjs";
import { sideBySide } from "../lib/side-by-side.mjs";
import { atLeast, times } from "../lib/target.mjs";
import { AUDIENCE, authenticator, claimsOf, ISSUER, keyFor, manyTokens, SECRETS } from "../lib/tokens.mjs";
import { micros } from "../lib/units.mjs";

export const title = "The usual posture, without HTTP";

const ORIGIN = "https://shop.example.com";
const ADDRESS = "203.0.113.7";
const HOUR = 3_600_000;
const PLENTY = 1_000_000_000;

const policy = (key) => ({
  gatehouse: 1,
  name: "bench-posture",
  transport: { https: "off" },
  cors: { origins: [ORIGIN] },
  authenticators: { user: authenticator(key) },
  roles: { customer: [], clerk: [] },
  limits: { "per-ip": { limit: PLENTY, window: "1h", by: "client.ip" } },
  routes: { "GET /orders": { authorize: { roles: ["customer"] }, limits: ["per-ip"] } },
});

const fieldsWith = (token) => fields("Origin", ORIGIN, "Authorization", flat(`Bearer ${token}`));

/** What an answer's head is to middleware, which sets one field after another. */
class Answer {
  statusCode = 200;
  fields = Object.create(null);

  getHeader(name) {
    return this.fields[name.toLowerCase()]?.[1];
  }

  setHeader(name, value) {
    this.fields[name.toLowerCase()] = [name, value];
    return this;
  }

  append(name, value) {
    return this.setHeader(name, value);
  }

  removeHeader(name) {
    delete this.fields[name.toLowerCase()];
  }
}

/** What a framework hands to middleware, made from the same list that the engine reads. */
function incoming(list) {
  const headers = {};
  for (let index = 0; index < list.length; index += 2) headers[list[index].toLowerCase()] = list[index + 1];
  return {
    method: "GET",
    url: "/orders",
    originalUrl: "/orders",
    path: "/orders",
    headers,
    ip: ADDRESS,
    app: APP,
  };
}

const APP = { get: () => false };

const role = (req, _res, next) => {
  const roles = req.auth?.roles;
  if (Array.isArray(roles) && roles.includes("customer")) next();
  else next(new Error("forbidden"));
};

const through = (middleware) => (req, res) =>
  new Promise((resolve, reject) => {
    const step = (index) => {
      const one = middleware[index];
      if (one === undefined) return resolve(req.auth);
      return one(req, res, (error) => {
        if (error === undefined) step(index + 1);
        else reject(new Error("refused", { cause: error }));
      });
    };
    step(0);
  });

/** @param options `prepared`: as the key, else as text, which the middleware turns into a key for each token */
function usualStack(key, { prepared }) {
  return through([
    helmet(),
    cors({ origin: [ORIGIN] }),
    rateLimit({
      windowMs: HOUR,
      limit: PLENTY,
      standardHeaders: "draft-8",
      legacyHeaders: false,
      validate: false,
    }),
    expressjwt({
      secret: prepared ? key.key : key.secret,
      algorithms: ["HS256"],
      issuer: ISSUER,
      audience: AUDIENCE,
    }),
    role,
  ]);
}

function fastestParts(key, { cached }) {
  const limiter = new RateLimiterMemory({ points: PLENTY, duration: HOUR / 1000 });
  const verify = createVerifier({
    key: key.secret,
    algorithms: ["HS256"],
    allowedIss: ISSUER,
    allowedAud: AUDIENCE,
    cache: cached,
  });
  const limit = async (req, res, next) => {
    let left;
    try {
      left = await limiter.consume(req.ip);
    } catch (error) {
      return next(error);
    }
    const seconds = Math.ceil(left.msBeforeNext / 1000);
    res.setHeader("RateLimit", `"default";r=${left.remainingPoints};t=${seconds}`);
    res.setHeader("RateLimit-Policy", `"default";q=${PLENTY};w=${HOUR / 1000}`);
    return next();
  };
  const authenticate = (req, _res, next) => {
    const text = req.headers.authorization;
    if (text?.startsWith("Bearer ") !== true) return next(new Error("no token"));
    try {
      req.auth = verify(text.slice("Bearer ".length));
    } catch (error) {
      return next(error);
    }
    return next();
  };
  return through([helmet(), cors({ origin: [ORIGIN] }), limit, authenticate, role]);
}

/** From the raw head to an answer whose fields are set. */
function byPolicy(engine) {
  const answer = { status: 200, headers: [["Content-Type", "application/json"]] };
  return (raw) => {
    const exchange = engine.open(raw);
    const decided = exchange.head();
    if (decided.outcome !== "admit") throw new Error(decided.reason);
    const { status, headers } = exchange.respond(answer);
    exchange.end(status);
    // A server's `writeHead` takes the list as it is.
    return { principal: decided.principal, status, headers };
  };
}

async function assertEqual(ours, stacks, list) {
  const { principal, headers } = ours(request("GET", "/orders", list));
  assert.equal(principal.id, claimsOf().sub);
  const names = headers.map(([name]) => name.toLowerCase());
  for (const stack of stacks) {
    const theirs = new Answer();
    assert.equal((await stack(incoming(list), theirs)).sub, claimsOf().sub);
    for (const name of [
      "access-control-allow-origin",
      "ratelimit",
      "ratelimit-policy",
      "content-security-policy",
    ]) {
      assert.ok(name in theirs.fields && names.includes(name), name);
    }
  }
}

export async function run(options) {
  const key = keyFor("HS256");
  const engine = await createEngine(policy(key), { secrets: SECRETS });
  const ours = byPolicy(engine);
  const usual = usualStack(key, { prepared: true });
  const documented = usualStack(key, { prepared: false });
  const fastest = fastestParts(key, { cached: true });
  const uncached = fastestParts(key, { cached: false });
  // More than are remembered, so that each is forgotten before it comes again.
  const lists = manyTokens(key.mint, options.short ? 10 : 12_000).map(fieldsWith);
  const requests = lists.map((list) => request("GET", "/orders", list));
  const [list] = lists;
  await assertEqual(ours, [usual, documented, fastest, uncached], list);
  const nth = (all, index) => all[index % all.length];
  const theirs = (stack) => (index) => stack(incoming(nth(lists, index)), new Answer());
  // A server makes new texts of what comes in: that one was looked at before is not to be seen by the text itself.
  const bytes = Buffer.from(list.at(-1));
  const again = () => [...list.slice(0, -1), bytes.latin1Slice()];
  const same = (stack) => () => stack(incoming(again()), new Answer());

  const seen = await sideBySide(
    [
      { name: "Gatehouse", run: () => ours(request("GET", "/orders", again())) },
      { name: "helmet, cors, express-rate-limit, express-jwt with a prepared key", run: same(usual) },
      { name: "helmet, cors, rate-limiter-flexible, fast-jwt with its cache", run: same(fastest) },
    ],
    { ...options, ms: 60 },
  );
  const fresh = await sideBySide(
    [
      { name: "Gatehouse", run: (index) => ours(nth(requests, index)) },
      { name: "helmet, cors, express-rate-limit, express-jwt with a prepared key", run: theirs(usual) },
      {
        name: "helmet, cors, express-rate-limit, express-jwt with a secret as text",
        run: theirs(documented),
      },
      { name: "helmet, cors, rate-limiter-flexible, fast-jwt", run: theirs(uncached) },
    ],
    { ...options, ms: 60 },
  );
  await engine.close();
  const rows = (what, comparison) =>
    comparison.names.map((name) => [
      what,
      name,
      micros(comparison.ns(name)),
      times(comparison.ratio(name, "Gatehouse")),
    ]);
  const [, prepared, best] = seen.names;
  return {
    tables: [
      {
        caption: "From a request's head to an answer's, CPU time",
        columns: ["token", "what", "a request", "beside ours"],
        rows: [...rows("seen before", seen), ...rows("new", fresh)],
      },
    ],
    targets: [
      atLeast(
        "1",
        "posture, token seen before, against the usual stack",
        8,
        seen.ratio(prepared, "Gatehouse"),
      ),
      atLeast("1", "posture, new token, against the usual stack", 2.5, fresh.ratio(prepared, "Gatehouse")),
      atLeast("1", "posture, token seen before, against the fastest parts", 3, seen.ratio(best, "Gatehouse")),
    ],
    notes: [
      "`express-jwt` remembers no token: one that it saw before costs it what a new one does.",
      "Ours counts by a sliding window, the others by a fixed one. Ours hands its fields to `writeHead` as a list, the others set theirs one by one.",
    ],
  };
}
