/**
 * Servers that look at everything that callers prove, but for one thing: under a policy that says less than the one that is probed, or by a
 * verifier of one's own in front of the guard, which serves what it takes for good.
 */
import { createHash, createPublicKey, verify, X509Certificate } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import type { Disagreement } from "gatehouse";
import { issuerJwk, signerJwk, type ProofServer } from "./probe-proof-servers.js";
import type { Before, Draft } from "./probe-servers.js";

export interface ProofPlant extends Pick<ProofServer, "before" | "framework"> {
  readonly name: string;
  readonly served?: (draft: Draft) => void;
  readonly route: string;
  /** Each of them. */
  readonly found: { readonly kind: Disagreement["kind"]; readonly about: readonly RegExp[] };
}

type Members = Readonly<Record<string, unknown>>;

interface Jws {
  readonly header: Members;
  readonly claims: Members;
  readonly input: string;
  readonly signature: Buffer;
}

function jwsOf(text: string): Jws | undefined {
  const [head = "", body = "", signature = ""] = text.split(".");
  const read = (part: string): Members => JSON.parse(Buffer.from(part, "base64url").toString()) as Members;
  try {
    return {
      header: read(head),
      claims: read(body),
      input: `${head}.${body}`,
      signature: Buffer.from(signature, "base64url"),
    };
  } catch {
    return undefined;
  }
}

function holds({ input, signature, header }: Jws, jwk: unknown): boolean {
  const key = createPublicKey({ key: jwk as Record<string, string>, format: "jwk" });
  const hash = header["alg"] === "EdDSA" ? null : "sha256";
  return verify(hash, Buffer.from(input), { key, dsaEncoding: "ieee-p1363" }, signature);
}

/** A token of the issuer's, whatever it is bound to, of somebody who may call the routes. */
function goodToken({ headers: { authorization = "" } }: IncomingMessage, scheme: string): Jws | undefined {
  const token = authorization.startsWith(`${scheme} `)
    ? jwsOf(authorization.slice(scheme.length + 1))
    : undefined;
  if (token === undefined || token.header["alg"] !== "ES256" || !holds(token, issuerJwk)) return undefined;
  const { exp, aud, iss, roles } = token.claims;
  const good = aud === "proofs" && iss === "https://id.test/" && Number(exp) * 1000 > Date.now();
  return good && token.header["typ"] === "at+jwt" && JSON.stringify(roles) === '["clerk"]'
    ? token
    : undefined;
}

function thumbprint(jwk: Members): string {
  const { crv, kty, x, y } = jwk;
  return sha256(JSON.stringify({ crv, kty, x, ...(y === undefined ? {} : { y }) }));
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("base64url");

type Check = "ath" | "htm" | "htu" | "iat" | "jti" | "jwk" | "signature" | "typ" | "private key";

/** All of RFC 9449 section 4.3, without some of its checks. */
function careless(...skipped: readonly Check[]): Before {
  const seen = new Set<unknown>();
  return (request, response) => {
    const { dpop } = request.headers;
    const token = goodToken(request, "DPoP");
    const proof = typeof dpop === "string" ? jwsOf(dpop) : undefined;
    if (token === undefined || proof === undefined) return false;
    const { htm, htu, iat, ath, jti } = proof.claims;
    const jwk = proof.header["jwk"] as Members;
    const path = (request.url ?? "").split("?")[0] ?? "";
    const bound = token.claims["cnf"] as Members | null | undefined;
    const checks: Readonly<Record<Check, () => boolean>> = {
      typ: () => proof.header["typ"] === "dpop+jwt" && proof.header["crit"] === undefined,
      "private key": () => jwk["d"] === undefined,
      jwk: () => bound?.["jkt"] === thumbprint(jwk),
      signature: () => ["ES256", "EdDSA"].includes(String(proof.header["alg"])) && holds(proof, jwk),
      htm: () => htm === request.method,
      htu: () => htu === `https://${request.headers.host ?? ""}${path}`,
      iat: () => Math.abs(Number(iat) * 1000 - Date.now()) < 60_000,
      ath: () => ath === sha256((request.headers.authorization ?? "").slice(5)),
      jti: () => typeof jti === "string" && !seen.has(jti),
    };
    const good = Object.entries(checks).every(([name, check]) => skipped.includes(name as Check) || check());
    seen.add(jti);
    return good && say(response);
  };
}

function say(response: ServerResponse, status = 200): true {
  response.writeHead(status, { "Content-Type": "application/json" }).end("{}");
  return true;
}

const socketOf = ({ socket }: IncomingMessage): TLSSocket => socket as TLSSocket;

/** Who signed covers what it says of the head; what it says of the content nobody looks at. */
function signedHead({ method, url, headers }: IncomingMessage): boolean {
  const input = String(headers["signature-input"] ?? "");
  const [, label = "", said = "", list = ""] = /^([^=]+)=(\(([^)]*)\).*)$/u.exec(input) ?? [];
  const signature = String(headers["signature"] ?? "").slice(label.length + 2, -1);
  const lines = [...list.matchAll(/"([^"]*)"/gu)].map(([, name = ""]) => {
    const derived: Readonly<Record<string, string | undefined>> = {
      "@method": method,
      "@target-uri": `https://${headers.host ?? ""}${url ?? ""}`,
    };
    return `"${name}": ${derived[name] ?? String(headers[name] ?? "")}`;
  });
  const base = [...lines, `"@signature-params": ${said}`].join("\n");
  const key = createPublicKey({ key: signerJwk, format: "jwk" });
  return (
    list.includes("content-digest") && verify(null, Buffer.from(base), key, Buffer.from(signature, "base64"))
  );
}

/** What one leaves out shows by itself, whatever else it leaves out. */
const POSSESSION = [
  {
    skipped: ["ath", "htm"],
    about: [/another token \(`ath`\)/u, /without `ath`/u, /another method \(`htm`\)/u],
  },
  {
    skipped: ["htu", "iat"],
    about: [
      /another host \(`htu`\)/u,
      /another path \(`htu`\)/u,
      /long ago \(`iat`\)/u,
      /of the future \(`iat`\)/u,
    ],
  },
  { skipped: ["jti"], about: [/second time \(`jti`\)/u] },
  { skipped: ["jwk", "typ"], about: [/proof of another key/u, /type `JWT`/u] },
  {
    skipped: ["signature", "private key"],
    about: [/another key signed/u, /`alg` of `none`/u, /gives its private key away/u],
  },
] as const satisfies readonly { readonly skipped: readonly Check[]; readonly about: readonly RegExp[] }[];

export const PROOF_PLANTS: readonly ProofPlant[] = [
  ...POSSESSION.map(({ skipped, about }): ProofPlant => ({
    name: `a verifier of one's own does not look at what a proof says: ${skipped.join(" and ")}`,
    before: careless(...skipped),
    route: "GET /dpop",
    found: { kind: "wider", about },
  })),
  {
    name: "proofs to a server with nonces: `htu` is not looked at",
    before: careless("htu"),
    route: "GET /nonced",
    found: { kind: "wider", about: [/another host \(`htu`\)/u] },
  },
  {
    name: "no nonce is asked for",
    served: (draft) => void delete draft.authenticators.nonced.senderConstrained.nonce,
    route: "GET /nonced",
    found: { kind: "wider", about: [/without the server's nonce/u] },
  },
  {
    name: "a nonce is asked for, and the policy says none",
    served: (draft) =>
      void (draft.authenticators.dpop.senderConstrained = { type: "dpop", nonce: { secret: "env:NONCE" } }),
    route: "GET /dpop",
    found: { kind: "stricter", about: [/./u] },
  },
  {
    name: "a proof may be older than the policy says",
    framework: "express",
    served: (draft) => void (draft.authenticators.dpop.senderConstrained = { type: "dpop", window: "1h" }),
    route: "GET /dpop",
    found: { kind: "wider", about: [/long ago \(`iat`\)/u] },
  },
  {
    name: "a bound token is taken as `Bearer`",
    before: (request, response) => goodToken(request, "Bearer") !== undefined && say(response),
    route: "GET /dpop",
    found: { kind: "wider", about: [/as `Bearer`/u] },
  },
  {
    name: "a token may be bound to anything",
    before: (request, response) =>
      goodToken(request, "DPoP") !== undefined && request.headers["dpop"] !== undefined && say(response),
    route: "GET /dpop",
    found: { kind: "wider", about: [/bound to no key/u] },
  },
  {
    name: "any certificate goes with a token that is bound to one",
    before: (request, response) =>
      goodToken(request, "Bearer") !== undefined && socketOf(request).authorized && say(response),
    route: "GET /bound",
    found: { kind: "wider", about: [/bound to another certificate/u] },
  },
  {
    name: "a certificate need not be shown with a token that is bound to one",
    before: (request, response) => goodToken(request, "Bearer") !== undefined && say(response),
    route: "GET /bound",
    found: { kind: "wider", about: [/a bound token without a certificate/u] },
  },
  {
    name: "a certificate is believed that nobody vouches for",
    before: (request, response) =>
      socketOf(request).getPeerX509Certificate()?.subjectAltName?.includes("spiffe://shop/machine") ===
        true && say(response),
    route: "GET /machine",
    found: { kind: "wider", about: [/same names, which nobody vouches for/u] },
  },
  {
    name: "anybody passes certificates on (`Client-Cert`)",
    framework: "express",
    served: (draft) =>
      void (draft.transport = {
        trust: { peers: ["loopback"], header: "forwarded", clientCert: "Client-Cert" },
      }),
    route: "GET /machine",
    found: { kind: "wider", about: [/a certificate in `Client-Cert`, from no proxy/u] },
  },
  {
    name: "anybody passes certificates on, for bound tokens too (`X-SSL-Client-Cert`)",
    before: (request, response) => {
      const passed = request.headers["x-ssl-client-cert"];
      const token = goodToken(request, "Bearer");
      if (typeof passed !== "string" || token === undefined) return false;
      const { raw } = new X509Certificate(decodeURIComponent(passed));
      const print = createHash("sha256").update(raw).digest("base64url");
      return (token.claims["cnf"] as Members)["x5t#S256"] === print && say(response);
    },
    route: "GET /bound",
    found: { kind: "wider", about: [/its certificate in `X-SSL-Client-Cert`/u] },
  },
  {
    name: "the digest is not held against the content",
    before: (request, response) => request.method === "POST" && signedHead(request) && say(response),
    route: "POST /signed",
    found: { kind: "wider", about: [/content that was altered/u, /digest of other content/u] },
  },
  {
    name: "signatures need not cover the target, may be old, and for other things",
    served: (draft) => {
      draft.authenticators.signer.components = ["@method"];
      draft.authenticators.signer.maxAge = "1d";
      delete draft.authenticators.signer.tag;
    },
    route: "GET /signed",
    found: {
      kind: "wider",
      about: [/not cover `@target-uri`/u, /signature of long ago/u, /something else \(`tag`\)/u],
    },
  },
  {
    name: "signed messages are taken again",
    served: (draft) => void (draft.authenticators.shared.replay = "allow"),
    route: "POST /shared",
    found: { kind: "wider", about: [/signed message for the second time/u] },
  },
  {
    name: "any key's signature will do",
    before: (request, response) =>
      String(request.headers["signature-input"]).includes("nobody-knows") && say(response),
    route: "GET /signed",
    found: { kind: "wider", about: [/key that nobody knows/u] },
  },
  {
    name: "webhooks may be old, and are taken again",
    served: (draft) => {
      draft.authenticators.hook.tolerance = "1h";
      draft.authenticators.hook.replay = "allow";
    },
    route: "POST /hook",
    found: { kind: "wider", about: [/webhook of long ago/u, /webhook for the second time/u] },
  },
  {
    name: "what a webhook says is not held against its signature",
    before: (request, response) => request.headers["stripe-signature"] !== undefined && say(response),
    route: "POST /hook",
    found: { kind: "wider", about: [/altered after it was signed/u] },
  },
];
