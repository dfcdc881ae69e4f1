/** Facts of the model of proofs as they go over the wire, and the policy that says what the model's says. */
import { createHash, createHmac, scryptSync, sign } from "node:crypto";
import type { Fetch, HeaderField, PolicyDocument, RawRequest } from "@gatehouse/core";
import { ecPair, ed25519Pair } from "../../packages/core/src/node/key-pair.js";
import type {
  HookFacts,
  ProofFacts,
  ProofKey,
  ProofPolicy,
  ProofRequest,
  SignedFacts,
  TokenFacts,
} from "./proofs.js";

const ISSUER = "https://id.test/";
const INTROSPECTION = "https://id.test/introspect";
const TARGET = "https://a.test/x";
const SHARED = "0123456789abcdef0123456789abcdef";
const HOOKS = { new: `new ${SHARED}`, old: `old ${SHARED}`, "stranger's": `none ${SHARED}` } as const;

const pairs = {
  "ann ES256": ecPair("P-256"),
  "eve ES256": ecPair("P-256"),
  "ann EdDSA": ed25519Pair(),
  "eve EdDSA": ed25519Pair(),
} as const satisfies Record<ProofKey, unknown>;
const signer = ed25519Pair();
const stranger = ed25519Pair();

const sha256 = (text: string | Buffer): Buffer => createHash("sha256").update(text).digest();
const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const jwkOf = (key: ProofKey): Record<string, unknown> => ({
  ...pairs[key].publicKey.export({ format: "jwk" }),
});

/** RFC 7638, by hand. */
function thumbprint(key: ProofKey): string {
  const sorted = Object.entries(jwkOf(key)).sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256(JSON.stringify(Object.fromEntries(sorted))).toString("base64url");
}

const fingerprint = (holder: string): Buffer => sha256(`certificate of ${holder}`);

function users(): string {
  const salt = sha256("salt").subarray(0, 16);
  const hash = scryptSync("right", salt, 32, { N: 2 ** 14, r: 8, p: 1 });
  const unpadded = (bytes: Buffer): string => bytes.toString("base64").replaceAll("=", "");
  return JSON.stringify([{ id: "ann", scrypt: `$scrypt$ln=14,r=8,p=1$${unpadded(salt)}$${unpadded(hash)}` }]);
}

const SECRETS: Readonly<Record<string, string>> = {
  "env:TOKENS": SHARED,
  "env:CLIENT": SHARED,
  "env:NONCE": SHARED,
  "env:USERS": users(),
  "env:NEW": HOOKS.new,
  "env:OLD": HOOKS.old,
};
export const secretTexts: readonly string[] = Object.values(SECRETS);
export const secrets = { get: (reference: string): string | undefined => SECRETS[reference] };

function tokensOf(kind: "jwt" | "opaque"): Record<string, unknown> {
  const common = { issuer: ISSUER, audience: "api" };
  if (kind === "jwt")
    return { ...common, type: "jwt", algorithms: ["HS256"], keys: { secret: "env:TOKENS" } };
  const client = { id: "api", secret: { secret: "env:CLIENT" } };
  return {
    ...common,
    type: "introspection",
    url: INTROSPECTION,
    client,
    in: "header",
    failures: "unlimited",
  };
}

export function documentOf({
  proving,
  bearer,
  hook,
  signed,
  optional,
  alternatives,
}: ProofPolicy): PolicyDocument {
  const { algorithms, window, nonceLife } = proving;
  const all: Record<string, unknown> = {
    proving: {
      ...tokensOf(proving.kind),
      senderConstrained: {
        type: "dpop",
        window: `${window}s`,
        ...(algorithms !== undefined && { algorithms }),
        ...(nonceLife !== undefined && { nonce: { secret: "env:NONCE" }, nonceLife: `${nonceLife}s` }),
      },
    },
    bearer: { ...tokensOf(bearer.kind), ...(bearer.certified && { senderConstrained: "mtls" }) },
    basic: { type: "basic", users: { secret: "env:USERS" } },
    hook: {
      type: "signature",
      header: "X-Sig",
      timeHeader: "X-Time",
      signed: "{time}.{body}",
      secrets: [{ secret: "env:NEW" }, { secret: "env:OLD" }],
      tolerance: `${hook.tolerance}s`,
      replay: hook.replay ? "refuse" : "allow",
    },
    signed: {
      type: "http-signature",
      keys: [
        {
          keyid: "k",
          algorithm: "ed25519",
          key: { jwk: { ...signer.publicKey.export({ format: "jwk" }) } },
          id: "ann",
        },
      ],
      tolerance: `${signed.tolerance}s`,
      maxAge: `${signed.maxAge}s`,
      replay: signed.replay,
    },
  };
  const used = new Set<string>(alternatives.flat());
  const authenticators = Object.fromEntries(Object.entries(all).filter(([name]) => used.has(name)));
  const list = alternatives.map((names) => (names.length === 1 ? names[0] : names));
  const route = {
    authenticate: optional ? ["optional", ...list] : list,
    authorize: optional ? "anyone" : "authenticated",
  };
  const document: unknown = {
    gatehouse: 1,
    name: "proofs",
    transport: { https: "off" },
    authenticators,
    routes: { "GET|POST /x": route },
  };
  return document as PolicyDocument;
}

function claimsOf({ bound, forAudience, over, type }: TokenFacts, now: number): Record<string, unknown> {
  const jkt = bound === undefined || bound === "ann's certificate" ? undefined : bound;
  const x5t = { "x5t#S256": fingerprint("ann").toString("base64url") };
  const cnf =
    bound === "both"
      ? { ...x5t, jkt: thumbprint("ann ES256") }
      : bound === "ann's certificate"
        ? x5t
        : jkt === undefined || jkt === "both"
          ? undefined
          : { jkt: thumbprint(jkt) };
  return {
    iss: ISSUER,
    aud: forAudience ? "api" : "other",
    sub: "ann",
    exp: over ? now - 1 : now + 86_400,
    ...(cnf !== undefined && { cnf }),
    ...(type !== undefined && { token_type: type }),
  };
}

/** The issuer of opaque tokens: it knows those that were sent. */
export class Issuer {
  readonly #known = new Map<string, unknown>();

  readonly fetch: Fetch = (_url, { body }) => {
    const token = new URLSearchParams(typeof body === "string" ? body : "").get("token") ?? "";
    const answer = this.#known.get(token) ?? { active: false };
    return Promise.resolve(
      new Response(JSON.stringify(answer), { headers: { "Content-Type": "application/json" } }),
    );
  };

  token(kind: "jwt" | "opaque", facts: TokenFacts, start: number): string {
    const claims = claimsOf(facts, start);
    if (kind === "jwt") {
      const input = `${encoded({ alg: "HS256", typ: "at+jwt" })}.${encoded(claims)}`;
      const key = facts.forged ? "another key, of 32 bytes or more" : SHARED;
      return `${input}.${createHmac("sha256", key).update(input).digest("base64url")}`;
    }
    const token = sha256(JSON.stringify(facts)).toString("base64url");
    if (!facts.forged) this.#known.set(token, { active: true, ...claims });
    return token;
  }
}

let made = 0;

export interface Sending {
  readonly policy: ProofPolicy;
  readonly issuer: Issuer;
  /** Seconds. */
  readonly now: number;
  readonly start: number;
  /** The nonce that the server told. */
  readonly nonce: string | undefined;
}

export function rawRequest(request: ProofRequest, sending: Sending): RawRequest & { readonly body: string } {
  const { method, site, authorization, proof, certificate, hook, signed } = request;
  const body = method === "POST" ? `{"n":${request.body}}` : "";
  const headers: HeaderField[] = [["Host", "a.test"]];
  if (site !== undefined) headers.push(["Sec-Fetch-Site", site]);
  if (body !== "")
    headers.push(["Content-Type", "application/json"], ["Content-Length", String(body.length)]);
  let token = "";
  if (authorization?.scheme === "Basic") {
    const { password } = authorization;
    const pair = password === "nobody's" ? "zoe:right" : `ann:${password}`;
    headers.push(["Authorization", `Basic ${Buffer.from(pair).toString("base64")}`]);
  } else if (authorization !== undefined) {
    const { scheme, token: facts } = authorization;
    const { kind } = sending.policy[scheme === "DPoP" ? "proving" : "bearer"];
    token = sending.issuer.token(kind, facts, sending.start);
    headers.push(["Authorization", `${scheme} ${token}`]);
  }
  if (proof !== undefined) headers.push(["DPoP", proofOf(proof, token, method, sending)]);
  if (hook !== undefined) headers.push(...hookFields(hook, body, sending.now));
  if (signed !== undefined) headers.push(...signedFields(signed, method, body, sending.now));
  return {
    method,
    target: "/x",
    headers,
    encrypted: true,
    body,
    ...(certificate !== undefined && {
      tls: {
        protocol: "TLSv1.3",
        clientCertificate: {
          subject: `CN=${certificate}`,
          subjectAltNames: [],
          fingerprint256: fingerprint(certificate).toString("hex"),
          validFrom: 0,
          validTo: Number.MAX_SAFE_INTEGER,
        },
      },
    }),
  };
}

function proofOf(facts: ProofFacts, token: string, method: string, { now, nonce }: Sending): string {
  made += 1;
  const [holder, algorithm] = facts.key.split(" ");
  const header = { typ: "dpop+jwt", alg: algorithm, jwk: jwkOf(facts.key) };
  const claims = {
    jti: facts.id ?? `fresh ${made}`,
    htm: facts.forMethod ? method : "PUT",
    htu: facts.forTarget ? TARGET : "https://a.test/other",
    iat: now + facts.made,
    ath: sha256(facts.forToken ? token : "another").toString("base64url"),
    ...(facts.nonce === "guessed" && { nonce: "AAAAAAAAAAAAAAAAAAAAAAAA" }),
    ...(facts.nonce === "told" && nonce !== undefined && { nonce }),
  };
  const input = `${encoded(header)}.${encoded(claims)}`;
  const other = `${holder === "ann" ? "eve" : "ann"} ${algorithm ?? ""}` as ProofKey;
  const { privateKey } = pairs[facts.forged ? other : facts.key];
  const signature =
    algorithm === "EdDSA"
      ? sign(null, Buffer.from(input), privateKey)
      : sign("sha256", Buffer.from(input), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return `${input}.${signature.toString("base64url")}`;
}

function hookFields({ secret, made: offset, tampered }: HookFacts, body: string, now: number): HeaderField[] {
  const time = String(now + offset);
  const signed = `${time}.${tampered ? "{}" : body}`;
  const mac = createHmac("sha256", HOOKS[secret]).update(signed).digest("hex");
  return [
    ["X-Time", time],
    ["X-Sig", mac],
  ];
}

const COVERS = {
  target: [
    ["@method", ""],
    ["@target-uri", TARGET],
  ],
  "parts of the target": [
    ["@method", ""],
    ["@authority", "a.test"],
    ["@path", "/x"],
    ["@query", "?"],
  ],
  "the method alone": [["@method", ""]],
} as const satisfies Record<SignedFacts["covers"], readonly (readonly [string, string])[]>;

function signedFields(facts: SignedFacts, method: string, body: string, now: number): HeaderField[] {
  const fields: HeaderField[] = [];
  const lines = COVERS[facts.covers].map(([name, value]): [string, string] => [
    name,
    name === "@method" ? method : value,
  ]);
  if (method === "POST" && facts.digest !== "none") {
    const digest = `sha-256=:${sha256(facts.digest === "the body" ? body : "{}").toString("base64")}:`;
    fields.push(["Content-Digest", digest]);
    lines.push(["content-digest", digest]);
  }
  const parameters = [
    `created=${now + facts.created}`,
    ...(facts.expires === undefined ? [] : [`expires=${now + facts.expires}`]),
    `keyid="${facts.key === "unknown" ? "other" : "k"}"`,
    ...(facts.nonce === undefined ? [] : [`nonce="${facts.nonce}"`]),
    ...(facts.algorithm === undefined
      ? []
      : [`alg="${facts.algorithm === "right" ? "ed25519" : "rsa-pss-sha512"}"`]),
  ];
  const list = `(${lines.map(([name]) => `"${name}"`).join(" ")});${parameters.join(";")}`;
  const base = [...lines.map(([name, value]) => `"${name}": ${value}`), `"@signature-params": ${list}`];
  const { privateKey } = facts.key === "forged" ? stranger : signer;
  const signature = sign(null, Buffer.from(base.join("\n")), privateKey).toString("base64");
  return [...fields, ["Signature-Input", `sig1=${list}`], ["Signature", `sig1=:${signature}:`]];
}
