/** A real OAuth and OpenID server on loopback, whose keys, outages and lies a test decides. */
import { randomBytes, type KeyObject } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Provider } from "oidc-provider";
import { ecPair } from "../../packages/core/src/node/key-pair.js";
import { TestClock } from "./support.js";

export const SECRET = randomBytes(24).toString("hex");

export type Listener = (request: IncomingMessage, response: ServerResponse) => void;

interface Key {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export function key(kid: string): Key {
  return { kid, ...ecPair("P-256") };
}

/** The clock of the provider is the system's, so the engine's begins there. */
export class ProviderClock extends TestClock {
  readonly #began = Date.now();

  override now(): number {
    return this.#began + this.monotonic();
  }
}

export class Issuer {
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
          client_id: "certified",
          client_secret: SECRET,
          id_token_signed_response_alg: "ES256",
          grant_types: ["client_credentials"],
          redirect_uris: [],
          response_types: [],
          tls_client_certificate_bound_access_tokens: true,
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
        // It stands behind no TLS here: a field holds what the connection would.
        mTLS: {
          enabled: true,
          certificateBoundAccessTokens: true,
          getCertificate: (context: { get(name: string): string }) =>
            decodeURIComponent(context.get("x-client-cert")),
        },
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

  /**
   * @param binding `proof` makes the proof of possession for a `POST` to that URL: the token is bound to its key; `certificate` in PEM: it is
   *   bound to that
   */
  async token(
    format: "jwt" | "opaque",
    { proof, certificate }: { proof?: (url: string) => string; certificate?: string } = {},
  ): Promise<string> {
    const body = { grant_type: "client_credentials", resource: `urn:api:${format}`, scope: "read" };
    const answer = await this.post(
      "/token",
      body,
      {
        ...(proof !== undefined && { DPoP: proof(`${this.url}/token`) }),
        ...(certificate !== undefined && { "X-Client-Cert": encodeURIComponent(certificate) }),
      },
      certificate === undefined ? "app" : "certified",
    );
    const text = await answer.text();
    const { access_token: token } = JSON.parse(text) as { access_token?: string };
    if (token === undefined) throw new Error(`no token: ${answer.status} ${text}`);
    return token;
  }

  post(
    path: string,
    body: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
    client = "app",
  ): Promise<Response> {
    const authorization = `Basic ${Buffer.from(`${client}:${SECRET}`).toString("base64")}`;
    return fetch(`${this.url}${path}`, {
      method: "POST",
      headers: { Authorization: authorization, ...headers },
      body: new URLSearchParams(body),
    });
  }
}
