// The floor: what a careful engineer would write by hand for this one route, with nothing general in it. It answers the
// same question with the same parts (a hash of the whole token, GCRA, the same header fields), and cannot be reused.
import { createHash, randomFillSync } from "node:crypto";

const emission = 1;
const burst = 1e9;

/** @param identityOf verifies a token that was not seen before */
export function handWritten(identityOf, constantHeaders) {
  const tokens = new Map();
  const perIp = new Map();
  const perUser = new Map();
  const pool = Buffer.alloc(16 * 256);
  let used = pool.length;

  const take = (counters, key, now) => {
    const seen = counters.get(key);
    const tat = (seen === undefined || seen < now ? now : seen) + emission;
    if (tat - now > burst) return false;
    counters.set(key, tat);
    return true;
  };
  const requestId = (now) => {
    if (used === pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    const random = pool.toString("hex", used + 6, used + 16);
    used += 16;
    const time = now.toString(16).padStart(12, "0");
    return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-a${random.slice(3, 6)}-${random.slice(6, 18)}`;
  };

  return (method, target, headers, remoteAddress, bytes) => {
    const now = Date.now();
    let origin, authorization, contentType;
    for (let index = 0; index < headers.length; index += 2) {
      const name = headers[index];
      if (name.length === 6 && name.toLowerCase() === "origin") origin = headers[index + 1];
      else if (name.length === 13 && name.toLowerCase() === "authorization")
        authorization = headers[index + 1];
      else if (name.length === 12 && name.toLowerCase() === "content-type") contentType = headers[index + 1];
    }
    const parts = target.split("/");
    if (method !== "POST" || parts.length !== 4 || parts[1] !== "tenants" || parts[3] !== "orders")
      return 404;
    if (!take(perIp, remoteAddress, now * 1000)) return 429;
    if (authorization === undefined || !authorization.startsWith("Bearer ")) return 401;
    const token = authorization.slice(7);
    const key = createHash("sha256").update(token).digest("latin1");
    let identity = tokens.get(key);
    if (identity === undefined) {
      identity = identityOf(token);
      if (identity === undefined) return 401;
      tokens.set(key, identity);
    }
    if (identity.exp * 1000 <= now) return 401;
    if (!take(perUser, identity.sub, now * 1000)) return 429;
    if (!identity.roles.has("customer")) return 403;
    if (identity.tenant !== parts[2] && !identity.roles.has("clerk")) return 403;
    if (contentType !== "application/json" || bytes.length > 100_000) return 415;
    const value = JSON.parse(bytes.toString());
    const { sku, quantity, note } = value;
    if (typeof sku !== "string" || sku.length < 4 || sku.length > 20) return 422;
    if (!Number.isInteger(quantity) || quantity < 1 || quantity > 100) return 422;
    if (note !== undefined && (typeof note !== "string" || note.length > 500)) return 422;
    for (const name in value) if (name !== "sku" && name !== "quantity" && name !== "note") return 422;
    const response = [...constantHeaders];
    if (origin === "https://shop.example.com") response.push(["Access-Control-Allow-Origin", origin]);
    response.push(["X-Request-Id", requestId(now)]);
    return { principal: identity, body: value, headers: response };
  };
}
