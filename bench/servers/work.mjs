// What every server of the benchmark does: the same two routes over the same orders, for the same callers.
import { createHmac } from "node:crypto";

export const secret = "a-shared-secret-of-forty-eight-bytes-for-HS256!!";
export const issuer = "https://id.example.com/";
export const audience = "orders-api";
export const origin = "https://shop.example.com";
export const role = "customer";

export const orderId = "7d444840-9dc0-4a5b-9d2a-000000000001";

/** `margin` and `card` are ours alone, and leave where nothing holds them back. */
const order = {
  id: orderId,
  sku: "LAMP-0007",
  quantity: 2,
  status: "paid",
  owner: "ann",
  margin: 0.42,
  customer: { name: "Ann", email: "ann@example.com", card: "4111 1111 1111 1111" },
  lines: [
    { sku: "LAMP-0007", title: "Lamp, brass, with a shade of linen", price: 129.5 },
    { sku: "BULB-0003", title: "Bulb, warm white, E27", price: 8.9 },
  ],
};

export const readOrder = () => order;
export const placeOrder = ({ sku, quantity, note = "" }) => ({ ...order, sku, quantity, note });

export const newOrder = {
  type: "object",
  required: ["sku", "quantity"],
  additionalProperties: false,
  properties: {
    sku: { type: "string", minLength: 4, maxLength: 20 },
    quantity: { type: "integer", minimum: 1, maximum: 100 },
    note: { type: "string", maxLength: 500 },
  },
};

const text = { type: "string" };
export const shownOrder = {
  type: "object",
  properties: {
    id: text,
    sku: text,
    quantity: { type: "integer" },
    status: text,
    owner: text,
    customer: { type: "object", properties: { name: text, email: text } },
    lines: {
      type: "array",
      items: { type: "object", properties: { sku: text, title: text, price: { type: "number" } } },
    },
    note: text,
  },
};
/** The same for a redactor that is told what to hide. */
export const hidden = ["margin", "customer.card"];

export function tokenOf(subject, roles = [role]) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: audience, sub: subject, roles, iat, exp: iat + 7200 };
  const input = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}
