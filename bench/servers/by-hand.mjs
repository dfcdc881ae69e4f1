// The floor of node:http: what a careful engineer would write for these two routes alone, with nothing general in it. It answers the same
// questions with the same fields, holds the same limit and remembers tokens as the policy does, and cannot be used for anything else.
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import { listen } from "./listen.mjs";
import { audience, issuer, origin, placeOrder, readOrder, role, secret } from "./work.mjs";

const CONSTANT = Object.entries({
  "Content-Security-Policy":
    "default-src 'self';base-uri 'self';font-src 'self' https: data:;form-action 'self';frame-ancestors 'self';img-src 'self' data:;object-src 'none';script-src 'self';script-src-attr 'none';style-src 'self' https: 'unsafe-inline';upgrade-insecure-requests",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Origin-Agent-Cluster": "?1",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-DNS-Prefetch-Control": "off",
  "X-Download-Options": "noopen",
  "X-Frame-Options": "SAMEORIGIN",
  "X-Permitted-Cross-Domain-Policies": "none",
  "X-XSS-Protection": "0",
  "Cache-Control": "no-store",
  Vary: "Origin",
  "Content-Type": "application/json",
}).flat();

const WINDOW = 3600;
const MOST_TOKENS = 10_000;
const MOST_BODY = 100_000;

export function byHand({ limit }) {
  const tokens = new Map();
  const callers = new Map();
  const nextId = idSource();

  const claimsOf = (authorization) => {
    if (authorization === undefined || !authorization.startsWith("Bearer ")) return undefined;
    const token = authorization.slice(7);
    let claims = tokens.get(token);
    if (claims === undefined) {
      claims = verifiedOrNone(token);
      if (claims === undefined) return undefined;
      if (tokens.size >= MOST_TOKENS) tokens.clear();
      tokens.set(token, claims);
    }
    return claims.exp * 1000 > Date.now() ? claims : undefined;
  };

  const take = (ip) => {
    const now = Date.now();
    let caller = callers.get(ip);
    if (caller === undefined || caller.until <= now)
      callers.set(ip, (caller = { left: limit, until: now + WINDOW * 1000 }));
    caller.left -= 1;
    return caller;
  };

  const send = (req, res, status, body, caller) => {
    const list = CONSTANT.slice();
    list.push("X-Request-Id", nextId());
    if (caller !== undefined) {
      const seconds = Math.ceil((caller.until - Date.now()) / 1000);
      list.push("RateLimit-Policy", `"per-ip";q=${limit};w=${WINDOW}`);
      list.push("RateLimit", `"per-ip";r=${Math.max(0, caller.left)};t=${seconds}`);
    }
    if (req.headers.origin === origin) list.push("Access-Control-Allow-Origin", origin);
    list.push("Content-Length", String(Buffer.byteLength(body)));
    res.writeHead(status, list).end(body);
  };

  return listen(
    createServer((req, res) => {
      if (req.method === "OPTIONS") {
        const allowed = req.headers.origin === origin ? ["Access-Control-Allow-Origin", origin] : [];
        return void res.writeHead(204, allowed).end();
      }
      const caller = take(req.socket.remoteAddress);
      if (caller.left < 0) return send(req, res, 429, "{}", caller);
      const claims = claimsOf(req.headers.authorization);
      if (claims === undefined) return send(req, res, 401, "{}", caller);
      if (!claims.roles.includes(role)) return send(req, res, 403, "{}", caller);
      if (req.method === "GET" && req.url.startsWith("/orders/"))
        return send(req, res, 200, shown(readOrder()), caller);
      if (req.method !== "POST" || req.url !== "/orders") return send(req, res, 404, "{}", caller);
      if (req.headers["content-type"] !== "application/json") return send(req, res, 415, "{}", caller);
      readJson(req, (status, value) => {
        if (status === 200 && isOrder(value)) return send(req, res, 201, shown(placeOrder(value)), caller);
        send(req, res, status === 200 ? 422 : status, "{}", caller);
      });
    }),
  );
}

function verifiedOrNone(token) {
  try {
    return verified(token);
  } catch {
    return undefined;
  }
}

function verified(token) {
  const [head, payload, signature] = token.split(".");
  if (signature === undefined || JSON.parse(Buffer.from(head, "base64url")).alg !== "HS256") return undefined;
  const mac = createHmac("sha256", secret).update(`${head}.${payload}`).digest();
  const sent = Buffer.from(signature, "base64url");
  if (sent.length !== mac.length || !timingSafeEqual(sent, mac)) return undefined;
  const claims = JSON.parse(Buffer.from(payload, "base64url"));
  return claims.iss === issuer && claims.aud === audience ? claims : undefined;
}

function readJson(req, use) {
  const chunks = [];
  let size = 0;
  req.on("data", (chunk) => {
    size += chunk.length;
    if (size <= MOST_BODY) chunks.push(chunk);
  });
  req.on("end", () => {
    if (size > MOST_BODY) return use(413);
    let value;
    try {
      value = JSON.parse((chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)).toString());
    } catch {
      return use(400);
    }
    use(200, value);
  });
}

function isOrder(value) {
  if (typeof value !== "object" || value === null) return false;
  for (const name in value) if (name !== "sku" && name !== "quantity" && name !== "note") return false;
  const { sku, quantity, note } = value;
  return (
    typeof sku === "string" &&
    sku.length >= 4 &&
    sku.length <= 20 &&
    Number.isInteger(quantity) &&
    quantity >= 1 &&
    quantity <= 100 &&
    (note === undefined || (typeof note === "string" && note.length <= 500))
  );
}

const shown = ({ id, sku, quantity, status, owner, customer: { name, email }, lines, note }) =>
  JSON.stringify({
    id,
    sku,
    quantity,
    status,
    owner,
    customer: { name, email },
    lines: lines.map((line) => ({ sku: line.sku, title: line.title, price: line.price })),
    note,
  });

/** Random text, drawn for many ids at once. */
function idSource() {
  let page = "";
  let at = 0;
  return () => {
    if (at === page.length) {
      page = randomBytes(4096).toString("hex");
      at = 0;
    }
    return page.slice(at, (at += 32));
  };
}
