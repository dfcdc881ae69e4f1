// Requests to try: one that is admitted and one refusal of each kind, each a curl line that works as printed.
import { annsOrder, login } from "./application.mjs";

/**
 * @param fields files of header fields by person, as `prepareKeys` wrote them
 * @param options more of curl's own, for every line
 */
export function tries(origin, fields, options = "") {
  const start = options === "" ? "curl -si" : `curl -si ${options}`;
  const curl = (who, path, ...more) => [start, `-H @${fields[who]}`, ...more, `'${origin}${path}'`].join(" ");
  const json = (value) => `--json '${JSON.stringify(value)}'`;
  const order = `/tenants/acme/orders/${annsOrder}`;
  const guess = curl("nobody", "/login", json({ ...login, password: "guess" }));
  return [
    { status: 200, about: "anybody may ask for health", line: `${start} '${origin}/health'` },
    {
      status: 200,
      about: "Ann reads her order: e-mail masked, margin and card cut",
      line: curl("ann", order),
    },
    { status: 200, about: "Bob is a clerk: he sees the e-mail", line: curl("bob", order) },
    {
      status: 201,
      about: "Ann orders",
      line: curl("ann", "/orders", json({ sku: "LAMP-7", quantity: 2 })),
    },
    { status: 200, about: "Cleo is an admin: addresses are hashed", line: curl("cleo", "/admin/audit") },
    { status: 200, about: "login", line: curl("nobody", "/login", json(login)) },

    {
      status: 403,
      about: "transport: not over HTTPS, as the proxy says",
      line: `${start} -H 'X-Forwarded-Proto: http' '${origin}${order}'`,
    },
    {
      status: 421,
      about: "transport: a host that is not ours",
      line: curl("ann", order, "-H 'Host: evil.example'"),
    },
    {
      status: 400,
      about: "normalization: a path that can be read two ways",
      line: curl("ann", "/admin/..%2forders", "--path-as-is"),
    },
    { status: 404, about: "no route", line: curl("ann", "/nowhere") },
    { status: 405, about: "no such method here", line: curl("ann", "/orders", "-X DELETE") },
    { status: 401, about: "authentication: nobody", line: curl("nobody", order) },
    { status: 401, about: "authentication: an expired token", line: curl("expired", order) },
    { status: 403, about: "roles: Ann is no admin", line: curl("ann", "/admin/audit") },
    {
      status: 403,
      about: "scopes: Bob may not write",
      line: curl("bob", "/orders", json({ sku: "LAMP-7", quantity: 2 })),
    },
    {
      status: 404,
      about: "condition, concealed: the partner is of another tenant",
      line: curl("partner", order),
    },
    { status: 400, about: "parameters: not a UUID", line: curl("ann", "/tenants/acme/orders/1") },
    {
      status: 415,
      about: "body: not JSON",
      line: curl("ann", "/orders", "-H 'Content-Type: text/plain' -d 'sku=LAMP-7'"),
    },
    {
      status: 400,
      about: "body: one name twice",
      line: curl("ann", "/orders", `--json '{"sku":"LAMP-7","quantity":1,"quantity":100}'`),
    },
    {
      status: 422,
      about: "schema: too many, and a field that nobody declared",
      line: curl("ann", "/orders", json({ sku: "LAMP-7", quantity: 1000, price: 0 })),
    },
    {
      status: 204,
      about: "cors: a preflight from the shop is answered",
      line: curl(
        "nobody",
        "/orders",
        "-X OPTIONS -H 'Origin: https://shop.example.com' -H 'Access-Control-Request-Method: POST' -H 'Access-Control-Request-Headers: authorization,content-type'",
      ),
    },
    {
      status: 204,
      about: "cors: one from elsewhere gets no permission (no Access-Control-Allow-Origin)",
      line: curl(
        "nobody",
        "/orders",
        "-X OPTIONS -H 'Origin: https://evil.example' -H 'Access-Control-Request-Method: POST'",
      ),
    },
    {
      status: 429,
      about: "limits: the sixth guess at a password",
      line: `for i in 1 2 3 4 5 6; do ${guess}; echo; done`,
    },
  ];
}
