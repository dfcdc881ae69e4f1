/** The model's request as it goes over the wire. */
import type { RawRequest } from "@gatehouse/core";
import type { ModelRequest } from "./model.js";
import { BODIES } from "./world.js";

/** @param token the text of the csrf token that the request names */
export function rawRequest(request: ModelRequest, token?: string): RawRequest & { readonly body: string } {
  return {
    method: request.method,
    target: typeof request.target === "string" ? request.target : `/${request.target.join("/")}`,
    headers: headersOf(request, token),
    remoteAddress: request.ip,
    encrypted: request.https,
    body: request.body === undefined ? "" : (BODIES[request.body]?.text ?? ""),
  };
}

function headersOf(request: ModelRequest, token: string | undefined): [string, string][] {
  const body = request.body === undefined ? undefined : BODIES[request.body];
  const optional: [string, string | undefined][] = [
    ["Origin", request.origin],
    ["Sec-Fetch-Site", request.fetchSite],
    ["Access-Control-Request-Method", request.asks],
    ["X-CSRF-Token", token],
    ["Content-Type", body === undefined ? undefined : request.json ? "application/json" : "text/plain"],
    ["Content-Length", body === undefined ? undefined : String(body.text.length)],
  ];
  return [
    ["Host", request.host],
    ...optional.flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, value]])),
    ...withCookie(
      request.credentials.flatMap(({ fields }) =>
        fields.map(([name, value]): [string, string] => [name, value]),
      ),
      token === undefined ? undefined : `__Host-csrf=${token}`,
    ),
  ];
}

/** Browsers write one field of all cookies. */
function withCookie(fields: [string, string][], cookie: string | undefined): [string, string][] {
  if (cookie === undefined) return fields;
  const others = fields.filter(([name]) => name !== "Cookie");
  const kept = fields.filter(([name]) => name === "Cookie").map(([, value]) => value);
  return [...others, ["Cookie", [...kept, cookie].join("; ")]];
}
