/** Servers to probe: the orders API of the examples, as each example wires it, in this process. */
import { createHash, scryptSync, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import express from "express";
import Fastify from "fastify";
import { Hono } from "hono";
import { createEngine, parsePolicy, type Engine, type PolicyDocument } from "@gatehouse/core";
import { gatehouse as forExpress } from "@gatehouse/express";
import { gatehouse as forFastify } from "@gatehouse/fastify";
import { gatehouse as forFetch } from "@gatehouse/fetch";
import { guard } from "@gatehouse/node-http";
import type { ProbeOptions } from "gatehouse";
import { ecPair } from "../../packages/core/src/node/key-pair.js";

interface Given {
  readonly params: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly locals: Record<string, unknown>;
  readonly principal: unknown;
}

interface Said {
  readonly status?: number;
  readonly body: unknown;
}

const root = new URL("../../examples/orders/", import.meta.url);
const { application, checks, annsOrder, orders } = (await import(new URL("application.mjs", root).href)) as {
  readonly application: Readonly<Record<string, (given: Given) => Said>>;
  readonly checks: Readonly<Record<string, (input: never) => boolean>>;
  readonly annsOrder: string;
  readonly orders: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
};

export { annsOrder, orders };

const { publicKey, privateKey } = ecPair("P-256");
export const jwk = { ...publicKey.export({ format: "jwk" }), kid: "issuer-1", alg: "ES256", use: "sig" };
export const signingKey = JSON.stringify({
  ...privateKey.export({ format: "jwk" }),
  kid: "issuer-1",
  alg: "ES256",
});

/** Ann, as the issuer knows her: the order of the examples is hers. */
function annsToken(): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const dates = { iat: now, exp: now + 3600 };
  const claims = { iss: "https://id.example.com/", aud: "orders-api", sub: "ann", org_id: "acme", ...dates };
  const input = `${encode({ alg: "ES256", kid: "issuer-1", typ: "at+jwt" })}.${encode({ ...claims, realm_access: { roles: ["customer"] } })}`;
  return `${input}.${sign("sha256", Buffer.from(input), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

const PARTNER = "partner-0123456789abcdefghijklmnop";
const RECORD = {
  id: "globex",
  sha256: createHash("sha256").update(PARTNER).digest("hex"),
  roles: ["customer"],
  attributes: { tenant: "globex" },
};

/** What the probe of these tests is handed: whoever owns a server has it. */
export const HANDED: ProbeOptions = {
  keys: { user: signingKey, session: signingKey },
  people: {
    ann: {
      person: { authenticator: "user", id: "ann", roles: ["customer"], attributes: { tenant: "acme" } },
      credential: annsToken(),
    },
    partner: {
      person: {
        authenticator: "partner",
        id: "globex",
        roles: ["customer"],
        attributes: { tenant: "globex" },
      },
      credential: PARTNER,
    },
  },
  params: { id: annsOrder },
  unsafe: true,
  rate: 10_000,
  maxRequests: 20_000,
  wait: 0,
};

/** A document that can be changed: what a policy is before it is one. */
// oxlint-disable-next-line no-explicit-any -- Plants change it anywhere, in ways that its type may not have.
export type Draft = any;

/** The policy of the examples, and one route more by which browsers order: with a cookie. */
export function ordersPolicy(change: (draft: Draft) => void = () => undefined): PolicyDocument {
  const text = readFileSync(new URL("policy.jsonc", root), "utf8");
  const draft: Draft = JSON.parse(JSON.stringify(parsePolicy(text)));
  delete draft.$schema;
  delete draft.transport.hosts;
  draft.authenticators.user.keys = { jwks: { keys: [jwk] } };
  draft.authenticators.partner.keys = { secret: "env:PARTNERS" };
  draft.authenticators.session = {
    ...draft.authenticators.user,
    in: "cookie",
    name: "__Host-session",
    typ: ["JWT"],
  };
  draft.routes["POST /web/orders"] = { ...draft.routes["POST /orders"], authenticate: ["session"] };
  draft.transport.hosts = ["orders.test"];
  change(draft);
  return parsePolicy(JSON.stringify(draft));
}

export const HOST = "orders.test";

/** The password of one of the staff, and the record of it. */
export const PASSWORD = "correct horse";

function staffsRecord(): object {
  const salt = Buffer.alloc(16, 1);
  const hash = scryptSync(PASSWORD, salt, 32, { N: 2 ** 14, r: 8, p: 1 });
  const parts = [salt, hash].map((bytes) => bytes.toString("base64").replaceAll("=", ""));
  return { id: "sam", roles: ["clerk"], scrypt: `$scrypt$ln=14,r=8,p=1$${parts.join("$")}` };
}

const SECRETS: Readonly<Record<string, string>> = {
  "env:STAFF": JSON.stringify([staffsRecord()]),
  "env:PARTNERS": JSON.stringify([RECORD]),
  "env:REDACTION_KEY": "k".repeat(64),
};

function handle(route: string, given: Given): Said {
  const answer = application[route === "POST /web/orders" ? "POST /orders" : route];
  return answer === undefined ? { status: 404, body: {} } : answer(given);
}

export interface Served {
  readonly url: string;
  close(): Promise<void>;
}

/** Sees a request before the guard does; true: it has answered. */
export type Before = (request: IncomingMessage, response: ServerResponse) => boolean;

export type Framework = "express" | "fastify" | "hono" | "node-http";

export async function serve(
  framework: Framework,
  policy: PolicyDocument,
  { before, upgrade }: { readonly before?: Before | undefined; readonly upgrade?: boolean | undefined } = {},
): Promise<Served> {
  const engine = await createEngine(policy, {
    checks: checks as never,
    secrets: { get: (reference) => Promise.resolve(SECRETS[reference]) },
  });
  const server = await SERVERS[framework](engine, Object.keys(policy.routes));
  if (before !== undefined) first(server, before);
  if (upgrade === true) {
    server.removeAllListeners("upgrade");
    server.on("upgrade", (_request, socket) =>
      socket.end("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
    );
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
      await engine.close();
    },
  };
}

/** In front of all that listens already. */
function first(server: Server, before: Before): void {
  const listeners = server.listeners("request") as RequestListener[];
  server.removeAllListeners("request");
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    if (!before(request, response))
      for (const listener of listeners) listener.call(server, request, response);
  });
}

type Start = (engine: Engine, routes: readonly string[]) => Server | Promise<Server>;

const SERVERS: Readonly<Record<Framework, Start>> = {
  "node-http": (engine) =>
    guard(engine, (_request, _response, context) => {
      const { status = 200, body } = handle(context.route ?? "", context as unknown as Given);
      context.send(body, { status });
    }).attach(createServer({ requireHostHeader: false })),

  express: (engine, routes) => {
    const app = express();
    app.use(forExpress(engine));
    for (const key of routes) {
      const [method = "", path = ""] = key.split(" ");
      app[method.toLowerCase() as "get" | "post"](path, (request, response) => {
        const { status = 200, body } = handle(key, request.gatehouse as unknown as Given);
        response.status(status).json(body);
      });
    }
    return createServer(app);
  },

  fastify: async (engine, routes) => {
    const app = Fastify({ http: { requireHostHeader: false }, forceCloseConnections: true });
    await app.register(forFastify, { engine });
    for (const key of routes) {
      const [method = "", url = ""] = key.split(" ");
      app.route({
        method,
        url,
        handler: (request, reply) => {
          const { status = 200, body } = handle(key, request.gatehouse as unknown as Given);
          return reply.code(status).send(body);
        },
      });
    }
    await app.ready();
    return app.server;
  },

  hono: (engine, routes) => {
    const app = new Hono<{ Bindings: { incoming: IncomingMessage } }>();
    app.use(
      forFetch(engine, {
        app,
        remoteAddress: (_request: Request, { env }: { env: { incoming: IncomingMessage } }) =>
          env.incoming.socket.remoteAddress,
        target: (_request: Request, { env }: { env: { incoming: IncomingMessage } }) => env.incoming.url,
      } as never) as never,
    );
    for (const key of routes) {
      const [method = "", path = ""] = key.split(" ");
      app.on(method, path, (c) => {
        const context = c.get("gatehouse" as never) as Given & {
          send(body: unknown, init: object): Response;
        };
        const { status = 200, body } = handle(key, context);
        return context.send(body, { status });
      });
    }
    return createAdaptorServer({ fetch: app.fetch }) as Server;
  },
};
