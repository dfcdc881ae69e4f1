/** Tokens that a real authorization server binds to a key (RFC 9449), used on a real server: the holder's alone, and each proof once. */
import type { PolicyDocument } from "@gatehouse/core";
import { describe, expect, it } from "vitest";
import { serve, type Served } from "../node-http/support.js";
import { Holder } from "./holder.js";
import { SECRET } from "./issuer.js";
import { runningIssuer } from "./running.js";
import { policyWith } from "./support.js";

const issuer = runningIssuer();

const tokenOf = (holder: Holder): Promise<string> =>
  issuer.token("jwt", { proof: (url) => holder.prove("POST", url) });

class Server {
  constructor(private readonly served: Served) {}

  static async start(senderConstrained?: object): Promise<Server> {
    const user = {
      type: "jwt",
      issuer: issuer.url,
      audience: "api",
      algorithms: ["ES256"],
      profile: "rfc9068",
      keys: { discovery: "openid" },
      clockTolerance: "5s",
      ...(senderConstrained !== undefined && { senderConstrained }),
    };
    const routes = {
      "GET /orders": { authorize: { scopes: ["read"] } },
      "DELETE /orders": { authorize: { scopes: ["read"] } },
    };
    const policy = policyWith({ user }, { routes }) as PolicyDocument;
    const served = await serve(
      policy,
      (_request, response, { decision }) => response.end(decision.principal?.id ?? "nobody"),
      { engine: { secrets: { get: () => `${SECRET}${SECRET}` } } },
    );
    return new Server(served);
  }

  get url(): string {
    return `http://127.0.0.1:${this.served.port}/orders`;
  }

  get proofAt(): (holder: Holder, token: string, claims?: object) => string {
    return (holder, token, claims) => holder.proveWith(token, this.url, claims);
  }

  /** Body and status, and what the challenge says is wrong. */
  async ask(token: string, proof?: string, { scheme = "DPoP", method = "GET", query = "" } = {}) {
    const answer = await fetch(`${this.url}${query}`, {
      method,
      headers: { Authorization: `${scheme} ${token}`, ...(proof !== undefined && { DPoP: proof }) },
    });
    const text = await answer.text();
    const challenge = answer.headers.get("www-authenticate");
    const nonce = answer.headers.get("dpop-nonce") ?? undefined;
    return { status: answer.status, text: answer.ok ? text : "", challenge, nonce };
  }
}

const ADMITTED = { status: 200, text: "app", challenge: null, nonce: undefined };
const ALGS = 'algs="ES256 EdDSA"';
const DPOP = { type: "dpop", algorithms: ["ES256", "EdDSA"] };
const refused = (error: string) => ({
  status: 401,
  text: "",
  challenge: `DPoP realm="t", error="${error}", ${ALGS}`,
  nonce: undefined,
});

describe("a token that the issuer bound to a key", () => {
  it("is good with a proof of that key, each proof once", async () => {
    const [server, ann] = [await Server.start(DPOP), new Holder()];
    const token = await tokenOf(ann);
    const proof = server.proofAt(ann, token);
    expect(await server.ask(token, proof)).toEqual(ADMITTED);
    expect(await server.ask(token, proof)).toEqual(refused("invalid_dpop_proof"));
    expect(await server.ask(token, server.proofAt(ann, token))).toEqual(ADMITTED);
    // The query is not among what a proof is for.
    expect(await server.ask(token, server.proofAt(ann, token), { query: "?page=2" })).toEqual(ADMITTED);
  });

  it("is not good as Bearer, without a proof, or with another's", async () => {
    const [server, ann, eve] = [await Server.start(DPOP), new Holder(), new Holder()];
    const token = await tokenOf(ann);
    const bearer = await server.ask(token, server.proofAt(ann, token), { scheme: "Bearer" });
    expect(bearer).toEqual({ ...refused(""), challenge: `DPoP realm="t", ${ALGS}` });
    expect(await server.ask(token)).toEqual(refused("invalid_dpop_proof"));
    expect(await server.ask(token, server.proofAt(eve, token))).toEqual(refused("invalid_token"));
    const hers = await tokenOf(eve);
    expect(await server.ask(token, server.proofAt(ann, hers))).toEqual(refused("invalid_dpop_proof"));
    expect(await server.ask(hers, server.proofAt(eve, hers))).toEqual(ADMITTED);
  });

  it("needs a proof for that method, target and time", async () => {
    const [server, ann] = [await Server.start(DPOP), new Holder()];
    const token = await tokenOf(ann);
    const proofs = [
      { htm: "DELETE" },
      { htu: server.url.replace("/orders", "/other") },
      { htu: server.url.replace("http:", "https:") },
      { iat: Math.floor(Date.now() / 1000) - 120 },
      { iat: Math.floor(Date.now() / 1000) + 120 },
    ];
    for (const claims of proofs)
      expect(await server.ask(token, server.proofAt(ann, token, claims))).toEqual(
        refused("invalid_dpop_proof"),
      );
    const elsewhere = await server.ask(token, server.proofAt(ann, token), { method: "DELETE" });
    expect(elsewhere).toEqual(refused("invalid_dpop_proof"));
  });

  it("is good nowhere that asks for no proof, and one that is not bound not where a proof is asked for", async () => {
    const [bound, plain, ann] = [await Server.start(DPOP), await Server.start(), new Holder()];
    const [token, unbound] = [await tokenOf(ann), await issuer.token("jwt")];
    const invalid = { ...refused(""), challenge: 'Bearer realm="t", error="invalid_token"' };
    expect(await plain.ask(token, undefined, { scheme: "Bearer" })).toEqual(invalid);
    expect(await plain.ask(unbound, undefined, { scheme: "Bearer" })).toEqual(ADMITTED);
    expect(await bound.ask(unbound, bound.proofAt(ann, unbound))).toEqual(refused("invalid_token"));
  });

  it("learns the server's nonce by being refused once, and later nonces with each answer", async () => {
    const nonce = { secret: "env:NONCE" };
    const [server, ann] = [await Server.start({ ...DPOP, nonce }), new Holder()];
    const token = await tokenOf(ann);
    const first = await server.ask(token, server.proofAt(ann, token));
    // The one of the next minutes may come at any time.
    const known = { nonce: expect.stringMatching(/^[\w-]{24}$/u) as string };
    expect(first).toEqual({ ...refused("use_dpop_nonce"), ...known });
    const proof = server.proofAt(ann, token, { nonce: first.nonce });
    expect(await server.ask(token, proof)).toEqual({ ...ADMITTED, ...known });
    expect(await server.ask(token, proof)).toEqual({ ...refused("invalid_dpop_proof"), ...known });
    const guessed = server.proofAt(ann, token, { nonce: "A".repeat(24) });
    expect(await server.ask(token, guessed)).toEqual({ ...refused("use_dpop_nonce"), ...known });
    // The next proof need not be refused before it has one.
    const next = await server.ask(token, server.proofAt(ann, token, { nonce: first.nonce }));
    expect(next).toEqual({ ...ADMITTED, ...known });
  });

  it("is good with each of many proofs at once, and with none of them twice", async () => {
    const [server, ann] = [await Server.start(DPOP), new Holder()];
    const token = await tokenOf(ann);
    const proofs = Array.from({ length: 20 }, () => server.proofAt(ann, token));
    const answers = await Promise.all([...proofs, ...proofs].map((proof) => server.ask(token, proof)));
    const [admitted, again] = [200, 401].map((code) => answers.filter(({ status }) => status === code));
    expect([admitted, again]).toEqual([
      proofs.map(() => ADMITTED),
      proofs.map(() => refused("invalid_dpop_proof")),
    ]);
  });
});
