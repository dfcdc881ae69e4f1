/** Servers whose callers prove who they are: keys, certificates and messages that are signed, over real TLS. */
import { createServer as createPlain, type RequestListener, type Server } from "node:http";
import { createServer } from "node:https";
import express from "express";
import { createEngine, parsePolicy, type PolicyDocument } from "@gatehouse/core";
import { issueCertificate } from "@gatehouse/core/conformance";
import { gatehouse as forExpress } from "@gatehouse/express";
import { guard } from "@gatehouse/node-http";
import type { ProbeOptions } from "gatehouse";
import { ecPair, ed25519Pair } from "../../packages/core/src/node/key-pair.js";
import type { Before, Draft, Served } from "./probe-servers.js";

const issuer = ecPair("P-256");
export const issuerJwk = { ...issuer.publicKey.export({ format: "jwk" }), kid: "issuer-1", alg: "ES256" };
const signer = ed25519Pair();
export const signerJwk = signer.publicKey.export({ format: "jwk" });

const SHARED = "s".repeat(48);
const HOOK = `hook-${"h".repeat(40)}`;
const SECRETS: Readonly<Record<string, string>> = {
  "env:HOOK": HOOK,
  "env:SHARED": SHARED,
  "env:NONCE": "n".repeat(48),
};

const clients = issueCertificate({ subject: [["CN", "clients"]], ca: true });
const machine = issueCertificate({
  subject: [
    ["O", "Shop"],
    ["CN", "machine"],
  ],
  uris: ["spiffe://shop/machine"],
  issuer: clients,
});
const root = issueCertificate({ subject: [["CN", "root"]], ca: true });
const server = issueCertificate({ subject: [["CN", "server"]], hosts: ["localhost"], issuer: root });

/** As files, by the names that docs/cli.md gives them. */
export const FILES: Readonly<Record<string, string>> = {
  "root.pem": root.cert,
  "machine.pem": machine.cert,
  "machine-key.pem": machine.key,
  "issuer.json": JSON.stringify({
    ...issuer.privateKey.export({ format: "jwk" }),
    kid: "issuer-1",
    alg: "ES256",
  }),
  "signer.pem": signer.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
};

/** What whoever owns the server hands over. */
export const PROVEN: ProbeOptions = {
  ca: root.cert,
  certificate: { cert: machine.cert, key: machine.key },
  keys: {
    ...Object.fromEntries(
      ["dpop", "nonced", "bound"].map((name) => [
        name,
        JSON.stringify({ ...issuer.privateKey.export({ format: "jwk" }), kid: "issuer-1", alg: "ES256" }),
      ]),
    ),
    "signer:signer-1": signer.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    shared: SHARED,
    hook: `${HOOK}\n`,
  },
  unsafe: true,
  rate: 10_000,
  maxRequests: 20_000,
  wait: 0,
};

const JSON_BODY = {
  request: {
    body: {
      type: "object",
      properties: { amount: { type: "integer", minimum: 1, maximum: 9 } },
      required: ["amount"],
      additionalProperties: false,
    },
  },
};

const tokens = {
  type: "jwt",
  issuer: "https://id.test/",
  audience: "proofs",
  algorithms: ["ES256"],
  keys: { jwks: { keys: [issuerJwk] } },
  principal: { id: "sub", roles: "roles" },
};

const clerks = { authorize: { roles: ["clerk"] } };
const anyone = { authorize: "authenticated" };

export function proofsPolicy(change: (draft: Draft) => void = () => undefined): PolicyDocument {
  const draft = {
    gatehouse: 1,
    name: "proofs",
    roles: { clerk: [] },
    authenticators: {
      dpop: { ...tokens, senderConstrained: "dpop" },
      nonced: {
        ...tokens,
        senderConstrained: {
          type: "dpop",
          algorithms: ["EdDSA"],
          window: "30s",
          nonce: { secret: "env:NONCE" },
        },
      },
      bound: { ...tokens, senderConstrained: "mtls" },
      machine: {
        type: "mtls",
        match: [{ id: "machine", san: "URI:spiffe://shop/machine", roles: ["clerk"] }],
      },
      signer: {
        type: "http-signature",
        replay: "nonce",
        tag: "shop",
        keys: [
          {
            keyid: "signer-0",
            algorithm: "ed25519",
            key: { jwk: ed25519Pair().publicKey.export({ format: "jwk" }) },
            id: "other",
          },
          { keyid: "signer-1", algorithm: "ed25519", key: { jwk: signerJwk }, id: "sig", roles: ["clerk"] },
        ],
      },
      shared: {
        type: "http-signature",
        components: ["@method", "@authority", "@path", "@query"],
        keys: [{ keyid: "shared-1", algorithm: "hmac-sha256", key: { secret: "env:SHARED" }, id: "both" }],
      },
      hook: { type: "signature", preset: "stripe", secrets: [{ secret: "env:HOOK" }] },
    },
    routes: {
      "GET /dpop": { authenticate: ["dpop"], ...clerks },
      "POST /dpop": { authenticate: ["dpop"], ...clerks, ...JSON_BODY },
      "GET /nonced": { authenticate: ["nonced"], ...clerks },
      "GET /bound": { authenticate: ["bound"], ...clerks },
      "GET /machine": { authenticate: ["machine"], ...clerks },
      "GET /signed": { authenticate: ["signer"], ...clerks },
      "POST /signed": { authenticate: ["signer"], ...clerks, ...JSON_BODY },
      "POST /shared": { authenticate: ["shared"], ...anyone, ...JSON_BODY },
      "POST /hook": { authenticate: ["hook"], ...anyone, ...JSON_BODY },
    },
  };
  change(draft);
  return parsePolicy(JSON.stringify(draft));
}

export interface ProofServer {
  readonly framework?: "express" | "node-http";
  readonly before?: Before | undefined;
  /** No connection is taken without a certificate. */
  readonly required?: boolean;
  /** Behind a proxy of this machine that ends TLS. */
  readonly plain?: boolean;
}

export async function serveProofs(policy: PolicyDocument, options: ProofServer = {}): Promise<Served> {
  const { before, required = false, plain = false } = options;
  // The guard of Node lets nothing stand in front of it.
  const { framework = before === undefined ? "node-http" : "express" } = options;
  const engine = await createEngine(policy, {
    secrets: { get: (reference) => Promise.resolve(SECRETS[reference]) },
  });
  const tls = {
    key: server.key,
    cert: server.cert,
    ca: clients.cert,
    requestCert: true,
    rejectUnauthorized: required,
  };
  const made = plain
    ? createPlain({ requireHostHeader: false })
    : createServer({ ...tls, requireHostHeader: false });
  if (framework === "express") {
    const app = express();
    app.use(forExpress(engine));
    for (const key of Object.keys(policy.routes)) {
      const [method = "", path = ""] = key.split(" ");
      app[method.toLowerCase() as "get" | "post"](path, (_request, response) => void response.json({}));
    }
    made.on("request", app as unknown as RequestListener);
  } else guard(engine, (_request, _response, context) => context.send({})).attach(made);
  if (before !== undefined) first(made, before);
  await new Promise<void>((resolve) => made.listen(0, "127.0.0.1", resolve));
  const address = made.address();
  return {
    url: `${plain ? "http" : "https"}://localhost:${typeof address === "object" && address !== null ? address.port : 0}`,
    close: async () => {
      await new Promise((resolve) => {
        made.close(resolve);
        made.closeAllConnections();
      });
      await engine.close();
    },
  };
}

/** In front of all that listens already. */
function first(made: Server, before: Before): void {
  const listeners = made.listeners("request") as RequestListener[];
  made.removeAllListeners("request");
  made.on("request", ((request, response) => {
    if (!before(request, response)) for (const listener of listeners) listener.call(made, request, response);
  }) satisfies RequestListener);
}
