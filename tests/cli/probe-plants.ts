/**
 * Servers that differ from their policy in one thing, and how a probe tells it. Each is served under another policy, or by code that
 * stands in front of the guard, as it happens: a route that was mounted too early, a verifier of one's own, a proxy that mends.
 */
import { createHmac, createPublicKey } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Area, Disagreement } from "gatehouse";
import { jwk, type Before, type Draft, type Framework } from "./probe-servers.js";

export interface Plant {
  readonly name: string;
  readonly framework?: Framework;
  /** The policy that is served in place of the one that is probed. */
  readonly served?: (draft: Draft) => void;
  readonly before?: Before;
  readonly upgrade?: true;
  readonly only: readonly Area[];
  /** The route that is asked about. */
  readonly route: string;
  readonly floods?: true;
  readonly found: { readonly kind: Disagreement["kind"]; readonly about?: RegExp; readonly message?: RegExp };
}

const ORDER = "GET /tenants/:tenant/orders/:id";
const AUDIT = "GET /admin/audit";

const pathOf = ({ url = "" }: IncomingMessage): string => url.split("?")[0] ?? "";

function say(response: ServerResponse, body: unknown, status = 200): true {
  response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" });
  response.end(JSON.stringify(body));
  return true;
}

/** Changes what goes out of the guard. */
export function headed(change: (response: ServerResponse, request: IncomingMessage) => void): Before {
  return (request, response) => {
    const writeHead = response.writeHead.bind(response) as (...given: unknown[]) => ServerResponse;
    response.writeHead = (...given: unknown[]) => {
      const [status, ...rest] = given;
      const list = rest.flat(2).filter((one) => typeof one === "string" || typeof one === "number");
      for (let at = 0; at + 1 < list.length; at += 2)
        response.appendHeader(String(list[at]), String(list[at + 1]));
      for (const one of rest)
        if (typeof one === "object" && one !== null && !Array.isArray(one))
          for (const [name, value] of Object.entries(one)) response.setHeader(name, value as string);
      change(response, request);
      return writeHead(status);
    };
    return false;
  };
}

interface Parts {
  readonly header: Readonly<Record<string, unknown>>;
  readonly input: string;
  readonly signature: string;
}

function tokenOf({ headers: { authorization = "" } }: IncomingMessage): Parts | undefined {
  const [head = "", claims = "", signature = ""] = authorization.replace(/^Bearer /u, "").split(".");
  try {
    const header = JSON.parse(Buffer.from(head, "base64url").toString()) as Parts["header"];
    return { header, input: `${head}.${claims}`, signature };
  } catch {
    return undefined;
  }
}

const isAudit = (request: IncomingMessage): boolean => pathOf(request) === "/admin/audit";

export const PLANTS: readonly Plant[] = [
  {
    name: "the audience of tokens is not looked at",
    served: (draft) => void (draft.authenticators.user.audience = "unchecked"),
    only: ["tokens"],
    route: AUDIT,
    found: { kind: "wider", about: /another audience/u },
  },
  {
    name: "the issuer of tokens is not looked at",
    served: (draft) => void (draft.authenticators.user.issuer = "unchecked"),
    only: ["tokens"],
    route: AUDIT,
    found: { kind: "wider", about: /another issuer/u },
  },
  {
    name: "expired tokens are good for some minutes more",
    served: (draft) => void (draft.authenticators.user.clockTolerance = "5m"),
    only: ["tokens"],
    route: AUDIT,
    found: { kind: "wider", about: /expired a minute past/u },
  },
  {
    name: "tokens of another type are taken",
    served: (draft) => void (draft.authenticators.user.typ = ["at+jwt", "JWT", "dpop+jwt"]),
    only: ["tokens"],
    route: AUDIT,
    found: { kind: "wider", about: /dpop\+jwt/u },
  },
  {
    name: "a verifier of one's own takes `none`",
    before: (request, response) =>
      isAudit(request) && tokenOf(request)?.header["alg"] === "none" && say(response, { entries: [] }),
    only: ["tokens"],
    route: AUDIT,
    found: { kind: "wider", about: /`alg` of `none`/u },
  },
  {
    name: "a verifier of one's own takes the public key for a shared secret",
    before: (request, response) => {
      const token = tokenOf(request);
      if (!isAudit(request) || token?.header["alg"] !== "HS256") return false;
      const pem = createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "pem" });
      return (
        createHmac("sha256", pem).update(token.input).digest("base64url") === token.signature &&
        say(response, { entries: [] })
      );
    },
    only: ["tokens"],
    route: AUDIT,
    found: { kind: "wider", about: /public key as a shared secret/u },
  },
  {
    name: "a token brings its own key",
    before: (request, response) =>
      isAudit(request) && tokenOf(request)?.header["jwk"] !== undefined && say(response, { entries: [] }),
    only: ["tokens"],
    route: AUDIT,
    found: { kind: "wider", about: /brings its own key/u },
  },
  {
    name: "the tenant of the path is not the caller's",
    served: (draft) => void (draft.routes[ORDER].authorize[1] = { roles: ["customer"] }),
    only: ["callers"],
    route: ORDER,
    found: { kind: "wider", about: /another's `tenant`/u },
  },
  {
    name: "a group's roles are not asked",
    served: (draft) => void (draft.groups["/admin"].require = "authenticated"),
    only: ["callers"],
    route: AUDIT,
    found: { kind: "wider", about: /only role is `customer`/u },
  },
  {
    name: "a scope is not asked",
    served: (draft) => void delete draft.routes["POST /orders"].authorize.scopes,
    only: ["callers"],
    route: "POST /orders",
    found: { kind: "wider", about: /without scope|without a scope/u },
  },
  {
    name: "a route is open",
    served: (draft) => {
      draft.routes[AUDIT] = { ...draft.routes[AUDIT], authenticate: "none", limits: ["per-ip"] };
    },
    only: ["callers"],
    route: AUDIT,
    found: { kind: "wider", about: /no credential/u },
  },
  {
    name: "an address in a body is not redacted",
    served: (draft) => void delete draft.routes[ORDER].response.redact,
    only: ["callers"],
    route: ORDER,
    found: { kind: "leak", message: /`\/customer\/email`/u },
  },
  {
    name: "members that nobody declared leave",
    served: (draft) => {
      const money = { type: "number" };
      draft.schemas.Order.properties.margin = money;
      draft.schemas.Order.properties.customer.properties.card = { type: "string" };
    },
    only: ["callers"],
    route: ORDER,
    found: { kind: "leak", message: /`\/margin` left/u },
  },
  {
    name: "a member that nobody declared comes in",
    served: (draft) => void (draft.schemas.NewOrder.additionalProperties = true),
    only: ["input"],
    route: "POST /orders",
    found: { kind: "wider", about: /member that nobody declared/u },
  },
  {
    name: "larger content is taken",
    served: (draft) => void (draft.routes["POST /orders"].request.maxBody = "1MB"),
    only: ["input"],
    route: "POST /orders",
    found: { kind: "wider", about: /one byte too large/u },
  },
  {
    name: "content of a form's type is taken",
    before: (request) => {
      if (request.headers["content-type"] === "text/plain") {
        request.headers["content-type"] = "application/json";
        const at = request.rawHeaders.findIndex((name) => name.toLowerCase() === "content-type");
        request.rawHeaders[at + 1] = "application/json";
      }
      return false;
    },
    only: ["input"],
    route: "POST /orders",
    found: { kind: "wider", about: /type `text\/plain`/u },
  },
  {
    name: "a parameter is not looked at",
    served: (draft) => void delete draft.routes[ORDER].request.params,
    only: ["input"],
    route: ORDER,
    found: { kind: "later", about: /an odd `id`/u },
  },
  {
    name: "a route is served in front of the guard",
    before: (request, response) => pathOf(request) === "/admin/audit" && say(response, { entries: [] }),
    only: ["callers"],
    route: AUDIT,
    found: { kind: "wider", about: /no credential/u },
  },
  {
    name: "HEAD goes past the guard",
    before: (request, response) =>
      request.method === "HEAD" && pathOf(request) === "/admin/audit" && say(response, ""),
    only: ["methods"],
    route: AUDIT,
    found: { kind: "wider", about: /HEAD/u },
  },
  {
    name: "an override of the method is taken",
    before: (request) => {
      const wanted = request.headers["x-http-method-override"];
      if (typeof wanted === "string") {
        request.method = wanted;
        delete request.headers["x-http-method-override"];
        for (let at = request.rawHeaders.length - 2; at >= 0; at -= 2)
          if (request.rawHeaders[at]?.toLowerCase() === "x-http-method-override")
            request.rawHeaders.splice(at, 2);
      }
      return false;
    },
    only: ["methods"],
    route: "GET /health",
    found: { kind: "wider", about: /says it is GET/u },
  },
  {
    name: "a request to upgrade is answered beside the guard",
    upgrade: true,
    only: ["methods"],
    route: AUDIT,
    found: { kind: "wider", about: /WebSocket/u },
  },
  {
    name: "the framework matches without regard to letter case, and the guard does not",
    before: (request, response) =>
      pathOf(request) !== "/admin/audit" &&
      pathOf(request).toLowerCase() === "/admin/audit" &&
      say(response, { entries: [] }),
    only: ["paths"],
    route: AUDIT,
    found: { kind: "wider", about: /letter case/u },
  },
  {
    name: "a slash at the end leads past the guard",
    before: (request, response) => pathOf(request) === "/admin/audit/" && say(response, { entries: [] }),
    only: ["paths"],
    route: AUDIT,
    found: { kind: "wider", about: /slash at the end/u },
  },
  {
    name: "an encoded slash reaches the handler",
    before: (request, response) =>
      pathOf(request) !== "/admin/audit" &&
      decodeURIComponent(pathOf(request).replaceAll(/%(?!2f)/gu, "%25")) === "/admin/audit" &&
      say(response, { entries: [] }),
    only: ["paths"],
    route: AUDIT,
    found: { kind: "wider", about: /slash that is encoded/u },
  },
  {
    name: "origins are reflected, with credentials",
    before: headed((response, { headers: { origin } }) => {
      if (origin === undefined) return;
      response.setHeader("Access-Control-Allow-Origin", origin);
      response.setHeader("Access-Control-Allow-Credentials", "true");
    }),
    only: ["cors"],
    route: AUDIT,
    found: { kind: "cors", message: /access-control-allow-origin/u },
  },
  {
    name: "the origin `null` is permitted",
    before: headed((response, { headers: { origin } }) => {
      if (origin === "null") response.setHeader("Access-Control-Allow-Origin", "null");
    }),
    only: ["cors"],
    route: AUDIT,
    found: { kind: "cors", about: /from null/u },
  },
  {
    name: "requests of other sites are taken",
    served: (draft) => void (draft.routes["POST /web/orders"].csrf = "off"),
    only: ["csrf"],
    route: "POST /web/orders",
    found: { kind: "wider", about: /cross-site/u },
  },
  {
    name: "any host is served",
    served: (draft) => void delete draft.transport.hosts,
    only: ["transport"],
    route: AUDIT,
    found: { kind: "later", about: /another host/u },
  },
  {
    name: "plain HTTP is served",
    served: (draft) => {
      draft.transport.https = "off";
      delete draft.transport.hsts;
    },
    only: ["transport"],
    route: AUDIT,
    found: { kind: "later", about: /plain HTTP/u },
  },
  {
    name: "of two credentials the last is taken",
    before: (request, response) =>
      pathOf(request) === "/admin/audit" &&
      request.rawHeaders.filter((name) => name.toLowerCase() === "authorization").length > 1 &&
      say(response, { entries: [] }),
    only: ["framing"],
    route: AUDIT,
    found: { kind: "wider", about: /two credentials for `user`/u },
  },
  {
    name: "a field that protects is taken away",
    before: headed((response) => response.removeHeader("X-Content-Type-Options")),
    only: ["callers"],
    route: AUDIT,
    found: { kind: "header", message: /`X-Content-Type-Options` is missing/u },
  },
  {
    name: "a field tells what the server runs",
    before: headed((response) => void response.setHeader("X-Powered-By", "Express")),
    only: ["callers"],
    route: AUDIT,
    found: { kind: "header", message: /`x-powered-by` stands/u },
  },
  {
    name: "an error tells where the code stands",
    before: (request, response) =>
      pathOf(request).includes("%zz") || (request.url ?? "").includes("%zz")
        ? say(response, { error: new URIError("malformed").stack }, 400)
        : false,
    only: ["input"],
    route: AUDIT,
    found: { kind: "leak", message: /stack trace/u },
  },
  {
    name: "what a concealed route is refused for is told",
    served: (draft) => void (draft.routes[ORDER].conceal = false),
    only: ["callers"],
    route: ORDER,
    found: { kind: "later" },
  },
  {
    name: "a limit takes more",
    served: (draft) => void (draft.limits.exports.limit = 1000),
    only: ["limits"],
    floods: true,
    route: AUDIT,
    found: { kind: "limit", message: /`exports`/u },
  },
  {
    name: "failures are not counted",
    served: (draft) => {
      draft.limits.guessing.limit = 1000;
    },
    only: ["limits"],
    floods: true,
    route: "POST /login",
    found: { kind: "limit", message: /`guessing`/u },
  },
  {
    name: "a role is asked that the policy does not ask",
    served: (draft) => void (draft.routes["POST /orders"].authorize.roles = ["admin"]),
    only: ["callers"],
    route: "POST /orders",
    found: { kind: "stricter" },
  },
];
