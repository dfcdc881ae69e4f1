// The fully loaded route: routing, a token seen before, roles, a condition, two limits, CORS, headers, a body schema.
import { newOrder } from "../servers/work.mjs";
import { fields } from "./requests.mjs";

export const policy = (jwk) => ({
  gatehouse: 1,
  name: "bench",
  transport: { https: "off" },
  cors: { origins: ["https://shop.example.com"] },
  authenticators: {
    user: {
      type: "jwt",
      issuer: "https://id.example.com/",
      audience: "bench",
      algorithms: ["ES256"],
      keys: { jwks: { keys: [jwk] } },
      principal: { id: "sub", roles: "roles", tenant: "tenant" },
    },
  },
  roles: { admin: ["clerk"], clerk: ["customer"], customer: [] },
  limits: {
    "per-ip": { limit: 1e9, window: "1000s", by: "client.ip", algorithm: "token-bucket" },
    "per-user": { limit: 1e9, window: "1000s", by: "principal.id", algorithm: "token-bucket" },
  },
  routes: {
    "POST /tenants/:tenant/orders": {
      authorize: {
        roles: ["customer"],
        when: "principal.tenant == params.tenant || 'clerk' in principal.roles",
      },
      limits: ["per-ip", "per-user"],
      request: {
        body: newOrder,
      },
    },
  },
});

export const body = Buffer.from(JSON.stringify({ sku: "LAMP-0007", quantity: 2, note: "ring twice" }));

export const headersWith = (token) =>
  fields(
    "Origin",
    "https://shop.example.com",
    "Authorization",
    `Bearer ${token}`,
    "Content-Type",
    "application/json",
    "Content-Length",
    String(body.length),
  );
