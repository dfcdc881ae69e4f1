/** A real OAuth and OpenID server issues the tokens, over real sockets: rotation under load, outages, and lies. */
import { generateKeyPairSync, randomBytes, type KeyObject } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createEngine, PolicyError, type Engine, type PolicyDocument } from "@gatehouse/core";
import { Provider } from "oidc-provider";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { outcome, policyWith, TestClock } from "./support.js";

const SECRET = randomBytes(24).toString("hex");
const MINUTE = 60_000;

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

interface Key {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

function key(kid: string): Key {
  return { kid, ...generateKeyPairSync("ec", { namedCurve: "P-256" }) };
}

/** The clock of the provider is the system's, so the engine's begins there. */
class ProviderClock extends TestClock {
  readonly #began = Date.now();

  override now(): number {
    return this.#began + this.monotonic();
  }
}

class Issuer {
  readonly clientKey = key("client");
  readonly hits = new Map<string, number>();
  /** What answers instead of the provider, for a path. */
  instead: Readonly<Record<string, Listener>> = {};
  #server: Server | undefined;
  #answer: Listener = () => undefined;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      const path = new URL(request.url ?? "/", this.url).pathname;
      this.hits.set(path, (this.hits.get(path) ?? 0) + 1);
      const instead = Object.hasOwn(this.instead, path) ? this.instead[path] : undefined;
      (instead ?? this.#answer)(request, response);
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  /** From here on it signs with the first, and publishes all. */
  sign(...keys: readonly Key[]): void {
    const provider = new Provider(this.url, {
      jwks: {
        keys: keys.map(({ kid, privateKey }) => ({
          ...(privateKey.export({ format: "jwk" }) as {
            kty: "EC";
            crv: string;
            x: string;
            y: string;
            d: string;
          }),
          kid,
          alg: "ES256",
          use: "sig",
        })),
      },
      clients: [
        {
          client_id: "app",
          client_secret: SECRET,
          id_token_signed_response_alg: "ES256",
          grant_types: ["client_credentials"],
          redirect_uris: [],
          response_types: [],
        },
        {
          client_id: "keyed",
          id_token_signed_response_alg: "ES256",
          grant_types: [],
          redirect_uris: [],
          response_types: [],
          token_endpoint_auth_method: "private_key_jwt",
          token_endpoint_auth_signing_alg: "ES256",
          jwks: {
            keys: [
              {
                ...this.clientKey.publicKey.export({ format: "jwk" }),
                kid: "client",
                alg: "ES256",
                use: "sig",
              },
            ],
          },
        },
      ],
      cookies: { keys: [SECRET] },
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        revocation: { enabled: true },
        introspection: { enabled: true, allowedPolicy: () => true },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: (_context: unknown, resource: string) => ({
            scope: "read write",
            audience: "api",
            accessTokenTTL: 3600,
            accessTokenFormat: resource === "urn:api:jwt" ? ("jwt" as const) : ("opaque" as const),
            jwt: { sign: { alg: "ES256" as const } },
          }),
        },
      },
      clientAuthMethods: ["client_secret_basic", "client_secret_post", "private_key_jwt"],
    });
    const answer = provider.callback();
    this.#answer = (request, response) => void answer(request, response);
  }

  async token(format: "jwt" | "opaque"): Promise<string> {
    const answer = await this.post("/token", {
      grant_type: "client_credentials",
      resource: `urn:api:${format}`,
      scope: "read",
    });
    const text = await answer.text();
    const { access_token: token } = JSON.parse(text) as { access_token?: string };
    if (token === undefined) throw new Error(`no token: ${answer.status} ${text}`);
    return token;
  }

  post(path: string, body: Readonly<Record<string, string>>): Promise<Response> {
    const authorization = `Basic ${Buffer.from(`app:${SECRET}`).toString("base64")}`;
    return fetch(`${this.url}${path}`, {
      method: "POST",
      headers: { Authorization: authorization },
      body: new URLSearchParams(body),
    });
  }
}

const issuer = new Issuer();

beforeAll(async () => {
  // It is no production, and needs not be told so.
  for (const level of ["info", "warn"] as const) vi.spyOn(console, level).mockImplementation(() => undefined);
  await issuer.start();
  issuer.sign(key("k0"));
});

afterAll(async () => {
  vi.restoreAllMocks();
  await issuer.stop();
});

interface Running {
  readonly engine: Engine;
  readonly clock: TestClock;
}

async function start(authenticator: object, secret = SECRET): Promise<Running> {
  const clock = new ProviderClock();
  const policy = policyWith(
    { user: { issuer: issuer.url, audience: "api", clockTolerance: "5s", ...authenticator } },
    { routes: { "GET /": { authorize: { scopes: ["read"] } } } },
  );
  const engine = await createEngine(policy as PolicyDocument, { clock, secrets: { get: () => secret } });
  return { engine, clock };
}

const jwt = { type: "jwt", algorithms: ["ES256"], profile: "rfc9068", keys: { discovery: "openid" } };

async function problemOf(run: Promise<unknown>): Promise<string> {
  const error: unknown = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof PolicyError ? (error.diagnostics[0]?.message ?? "") : "none";
}

describe("JSON Web Tokens", () => {
  it.each(["openid", "oauth"])("are verified with what %s discovery finds", async (discovery) => {
    // The provider publishes the same metadata under one of the two paths only.
    if (discovery === "oauth") {
      issuer.instead = {
        "/.well-known/oauth-authorization-server": (_, response) =>
          void fetch(`${issuer.url}/.well-known/openid-configuration`)
            .then((found) => found.text())
            .then((text) => response.writeHead(200, { "Content-Type": "application/json" }).end(text)),
      };
    }
    const { engine } = await start({ ...jwt, keys: { discovery } });
    issuer.instead = {};
    expect(await outcome(engine, await issuer.token("jwt"))).toBe("app");
    expect(await outcome(engine, `${await issuer.token("jwt")}x`)).toBe(401);
    await engine.close();
  });

  it("lose none while keys are rotated under load", async () => {
    issuer.sign(key("r0"));
    const { engine, clock } = await start(jwt);
    const outcomes: unknown[] = [];
    const end = new AbortController();
    const load = async (): Promise<void> => {
      while (!end.signal.aborted) outcomes.push(await outcome(engine, await issuer.token("jwt")));
    };
    const loads = [load(), load(), load(), load()];
    let before = key("r1");
    for (let round = 1; round <= 6; round += 1) {
      const next = key(`r${round + 1}`);
      issuer.sign(next, before);
      const seen = outcomes.length;
      while (outcomes.length < seen + 8) await new Promise((resolve) => setImmediate(resolve));
      before = next;
      // Rotations come further apart than the cool-down.
      clock.advance(11_000);
    }
    end.abort();
    await Promise.all(loads);
    expect(outcomes.length).toBeGreaterThan(40);
    expect(new Set(outcomes)).toEqual(new Set(["app"]));
    await engine.close();
  });

  it("go on through an outage, get 503 after it has lasted too long, and are back with the issuer", async () => {
    issuer.sign(key("o0"));
    const { engine, clock } = await start({ ...jwt, keys: { discovery: "openid", maxStale: "10m" } });
    const token = await issuer.token("jwt");
    expect(await outcome(engine, token)).toBe("app");
    await issuer.stop();
    clock.advance(16 * MINUTE);
    expect(await outcome(engine, token)).toBe("app");
    clock.advance(10 * MINUTE);
    expect([await outcome(engine, token), await outcome(engine, token)]).toEqual([503, 503]);
    await issuer.start();
    clock.advance(MINUTE);
    expect(await outcome(engine, token)).toBe("app");
    await engine.close();
  });

  it("with thousands of unknown keys cause one fetch in the cool-down", async () => {
    const { engine } = await start(jwt);
    const [, payload = "", signature = ""] = (await issuer.token("jwt")).split(".");
    issuer.hits.clear();
    const header = (kid: number): string =>
      Buffer.from(JSON.stringify({ alg: "ES256", typ: "at+jwt", kid: `x${kid}` })).toString("base64url");
    const flood = Array.from({ length: 3000 }, (_, kid) =>
      outcome(engine, `${header(kid)}.${payload}.${signature}`),
    );
    expect(new Set(await Promise.all(flood))).toEqual(new Set([401]));
    expect(issuer.hits.get("/jwks")).toBe(1);
    await engine.close();
  });
});

describe("an issuer that lies", () => {
  const WELL_KNOWN = "/.well-known/openid-configuration";
  const metadata =
    (changes: object): Listener =>
    (_, response) =>
      response
        .writeHead(200, { "Content-Type": "application/json" })
        .end(JSON.stringify({ issuer: issuer.url, jwks_uri: `${issuer.url}/jwks`, ...changes }));
  let metadataHits = 0;

  it.each<[string, string, Listener, string]>([
    [
      "is somebody else",
      WELL_KNOWN,
      (...given) => metadata({ issuer: "http://127.0.0.1" })(...given),
      "is the metadata of another issuer",
    ],
    [
      "sends elsewhere",
      WELL_KNOWN,
      (...given) => metadata({ jwks_uri: "http://169.254.169.254/" })(...given),
      "names a `jwks_uri` that is not HTTPS",
    ],
    [
      "redirects its metadata",
      WELL_KNOWN,
      (_, response) => response.writeHead(302, { Location: `${issuer.url}/trap` }).end(),
      "answered with a redirect, which is not followed",
    ],
    [
      "redirects its keys",
      "/jwks",
      (_, response) => response.writeHead(307, { Location: `${issuer.url}/trap` }).end(),
      "answered with a redirect, which is not followed",
    ],
    [
      "answers garbage",
      "/jwks",
      (_, response) => response.writeHead(200, { "Content-Type": "application/json" }).end(randomBytes(1000)),
      "answered with no JSON object",
    ],
    [
      "answers 10 MB",
      "/jwks",
      (_, response) =>
        response.writeHead(200, { "Content-Type": "application/json" }).end(Buffer.alloc(10_000_000, " ")),
      "answered with more than 262144 bytes",
    ],
    [
      "answers without end",
      "/jwks",
      (_, response) => endless(response),
      "answered with more than 262144 bytes",
    ],
    ["hangs up", "/jwks", (request) => void request.socket.destroy(), "cannot be reached (UND_ERR_SOCKET)"],
  ])("that %s is not believed", async (_, path, listener, problem) => {
    issuer.hits.clear();
    issuer.instead = { [path]: listener, "/trap": (_request, response) => response.end() };
    try {
      expect(await problemOf(start(jwt))).toBe(`there are no keys: \`${issuer.url}${path}\` ${problem}`);
      expect(issuer.hits.has("/trap")).toBe(false);
      metadataHits += 1;
    } finally {
      issuer.instead = {};
    }
  });

  it("was asked each time", () => {
    expect(metadataHits).toBe(8);
  });

  function endless(response: ServerResponse): void {
    response.writeHead(200, { "Content-Type": "application/json" });
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536, " ")));
    };
    response.on("drain", more);
    more();
  }
});

describe("opaque tokens", () => {
  const opaque = (client: object): object => ({
    type: "introspection",
    url: `${issuer.url}/token/introspection`,
    in: "header",
    principal: { id: "client_id", scopes: "scope" },
    client,
  });

  it.each([
    ["a secret in `Authorization`", () => ({ id: "app", secret: { secret: "env:S" } }), SECRET],
    ["a secret in the body", () => ({ id: "app", secret: { secret: "env:S" }, method: "post" }), SECRET],
    [
      "a key",
      () => ({ id: "keyed", key: { secret: "file:k" }, algorithm: "ES256", keyId: "client" }),
      issuer.clientKey.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    ],
  ])("are asked about with %s", async (_, client, secret) => {
    const { engine, clock } = await start(opaque(client()), secret);
    const token = await issuer.token("opaque");
    expect(token).not.toContain(".");
    issuer.hits.clear();
    const many = await Promise.all(Array.from({ length: 20 }, () => outcome(engine, token)));
    expect(new Set(many)).toEqual(new Set(["app"]));
    expect(issuer.hits.get("/token/introspection")).toBe(1);
    expect(await outcome(engine, "stranger")).toBe(401);
    await issuer.post("/token/revocation", { token });
    expect(await outcome(engine, token)).toBe("app");
    clock.advance(MINUTE);
    expect(await outcome(engine, token)).toBe(401);
    await engine.close();
  });

  it("are 503 where the issuer does not know us, or is away", async () => {
    const { engine } = await start(opaque({ id: "app", secret: { secret: "env:S" } }), "wrong");
    const token = await issuer.token("opaque");
    expect(await outcome(engine, token)).toBe(503);
    await issuer.stop();
    expect(await outcome(engine, token)).toBe(503);
    await issuer.start();
    await engine.close();
  });
});
