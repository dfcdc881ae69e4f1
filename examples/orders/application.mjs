// The application: what is left to write when the policy does the rest. No handler checks a token, a role, a limit or
// a field; each reads what was validated.
import { randomUUID } from "node:crypto";
import { tokenFor } from "./people.mjs";

const password = "correct horse battery staple";
const ann = { name: "Ann", email: "ann@example.com" };

/** Id to order. `margin` is ours alone: no schema of the policy declares it, so it never leaves. */
export const orders = new Map();
export const annsOrder = "7d444840-9dc0-4a5b-9d2a-000000000001";
orders.set(annsOrder, {
  id: annsOrder,
  sku: "DESK-1",
  quantity: 1,
  status: "paid",
  owner: "ann",
  margin: 0.42,
  customer: { ...ann, card: "4111 1111 1111 1111" },
});

/** Named by `check` in the policy. What it loads, the handler finds in `locals`. */
export const checks = {
  ownsOrder: ({ principal, params, locals }) => {
    locals.order = orders.get(params.id);
    return locals.order?.owner === principal.id;
  },
};

/**
 * Route to what it does, on every server alike: given what was validated, returns the answer. Only admitted requests come here.
 */
export const application = {
  "GET /health": () => ({ body: { ok: true } }),

  "POST /login": ({ body }) =>
    body.email === ann.email && body.password === password
      ? { body: { token: tokenFor("ann") } }
      : { status: 401, body: {} },

  "POST /orders": ({ body, principal }) => {
    const order = {
      id: randomUUID(),
      ...body,
      status: "new",
      owner: principal.id,
      margin: 0.4,
      customer: ann,
    };
    orders.set(order.id, order);
    return { status: 201, body: order };
  },

  "GET /tenants/:tenant/orders/:id": ({ params, locals }) => {
    const order = locals.order ?? orders.get(params.id);
    return order === undefined ? { status: 404, body: {} } : { body: order };
  },

  "GET /admin/audit": () => ({
    body: {
      entries: [{ at: new Date().toISOString(), action: "login", ip: "203.0.113.7", session: "s3cr3t" }],
    },
  }),
};

export const login = { email: ann.email, password };
