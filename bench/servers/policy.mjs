// The same work as one policy. A layer that is not asked for is not in it.
import { audience, issuer, newOrder, origin, role, shownOrder } from "./work.mjs";

export function policyOf({ layers, limit }) {
  const has = (layer) => layers.includes(layer);
  const given = (condition, part) => (condition ? part : {});
  return {
    gatehouse: 1,
    name: "orders",
    transport: { https: "off" },
    headers: { preset: "web" },
    ...given(has("cors"), { cors: { origins: [origin] } }),
    ...given(has("limit"), { limits: { "per-ip": { limit, window: "1h", by: "client.ip" } } }),
    ...given(has("jwt"), {
      roles: { [role]: [], clerk: [] },
      authenticators: {
        user: {
          type: "jwt",
          issuer,
          audience,
          algorithms: ["HS256"],
          keys: { secret: "env:ORDERS_SECRET" },
          principal: { id: "sub", roles: "roles" },
        },
      },
    }),
    defaults: {
      ...(has("jwt") ? { authorize: { roles: [role] } } : { authenticate: "none" }),
      ...given(has("limit"), { limits: ["per-ip"] }),
      ...given(has("response"), { response: { body: shownOrder } }),
    },
    routes: {
      "GET /orders/:id": {},
      "POST /orders": given(has("body"), { request: { body: newOrder } }),
    },
  };
}
