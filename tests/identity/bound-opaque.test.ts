/** Opaque tokens that a real authorization server binds to a key (RFC 9449) or a certificate (RFC 8705), used on real servers. */
import { createServer as createTls, request as requestTls } from "node:https";
import { createEngine, type Engine, type PolicyDocument } from "@gatehouse/core";
import { issueCertificate, type Issued } from "@gatehouse/core/conformance";
import { guard } from "@gatehouse/node-http";
import { describe, expect, it } from "vitest";
import { later } from "../servers/wire.js";
import { listen, stop } from "../node-http/target.js";
import { serve } from "../node-http/support.js";
import { Holder } from "./holder.js";
import { ProviderClock, SECRET } from "./issuer.js";
import { runningIssuer } from "./running.js";
import { policyWith } from "./support.js";

const issuer = runningIssuer();
const INTROSPECTION = "/token/introspection";

function policyOf(senderConstrained: unknown): PolicyDocument {
  const user = {
    type: "introspection",
    url: `${issuer.url}${INTROSPECTION}`,
    client: { id: "app", secret: { secret: "env:S" } },
    issuer: issuer.url,
    audience: "api",
    in: "header",
    clockTolerance: "5s",
    principal: { id: "client_id", scopes: "scope" },
    ...(senderConstrained === undefined ? {} : { senderConstrained }),
  };
  return policyWith({ user }, { routes: { "GET /": { authorize: { scopes: ["read"] } } } }) as PolicyDocument;
}

const secrets = { get: (reference: string) => (reference === "env:S" ? SECRET : `${SECRET}${SECRET}`) };

interface Answered {
  readonly status: number;
  readonly text: string;
  readonly challenge: string | undefined;
}

const refused = (challenge: string): Answered => ({ status: 401, text: "", challenge });
const admitted = (text: string): Answered => ({ status: 200, text, challenge: undefined });

describe("an opaque token that the issuer bound to a key", () => {
  const dpop = { type: "dpop", algorithms: ["ES256"] };
  const said = (error: string): Answered => refused(`DPoP realm="t", error="${error}", algs="ES256"`);

  class Api {
    readonly clock = new ProviderClock();
    #url = "";
    lastNonce: string | undefined;

    async start(senderConstrained: unknown): Promise<this> {
      const { port } = await serve(
        policyOf(senderConstrained),
        (_request, response, { decision }) => response.end(decision.principal?.id ?? "nobody"),
        { engine: { secrets, clock: this.clock } },
      );
      this.#url = `http://127.0.0.1:${port}/`;
      return this;
    }

    proof(holder: Holder, token: string, claims: object = {}): string {
      return holder.proveWith(token, this.#url, claims);
    }

    async ask(token: string, proof?: string, scheme = "DPoP"): Promise<Answered> {
      const answer = await fetch(this.#url, {
        headers: { Authorization: `${scheme} ${token}`, ...(proof !== undefined && { DPoP: proof }) },
      });
      const text = await answer.text();
      this.lastNonce = answer.headers.get("dpop-nonce") ?? undefined;
      const challenge = answer.headers.get("www-authenticate") ?? undefined;
      return { status: answer.status, text: answer.ok ? text : "", challenge };
    }
  }

  const tokenOf = (holder: Holder): Promise<string> =>
    issuer.token("opaque", { proof: (url) => holder.prove("POST", url) });

  it("is good with a proof of that key, each proof once, and is asked about once", async () => {
    const [api, ann] = [await new Api().start(dpop), new Holder()];
    const token = await tokenOf(ann);
    expect(token).not.toContain(".");
    issuer.hits.clear();
    const proof = api.proof(ann, token);
    expect(await api.ask(token, proof)).toEqual(admitted("app"));
    expect(await api.ask(token, proof)).toEqual(said("invalid_dpop_proof"));
    expect(await api.ask(token, api.proof(ann, token))).toEqual(admitted("app"));
    const proofs = Array.from({ length: 10 }, () => api.proof(ann, token));
    const answers = await Promise.all([...proofs, ...proofs].map((one) => api.ask(token, one)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(10);
    expect(issuer.hits.get(INTROSPECTION)).toBe(1);
  });

  it("is not good as Bearer, without a proof, or with another's, before and after it is remembered", async () => {
    const [api, ann, eve] = [await new Api().start(dpop), new Holder(), new Holder()];
    const token = await tokenOf(ann);
    issuer.hits.clear();
    for (const round of ["before", "after"]) {
      expect(await api.ask(token, api.proof(ann, token), "Bearer")).toEqual(
        refused('DPoP realm="t", algs="ES256"'),
      );
      expect(await api.ask(token)).toEqual(said("invalid_dpop_proof"));
      if (round === "before") expect(issuer.hits.has(INTROSPECTION)).toBe(false);
      expect(await api.ask(token, api.proof(eve, token))).toEqual(said("invalid_token"));
      expect(await api.ask(token, api.proof(ann, "other"))).toEqual(said("invalid_dpop_proof"));
      const old = { iat: Math.floor(Date.now() / 1000) - 120 };
      expect(await api.ask(token, api.proof(ann, token, old))).toEqual(said("invalid_dpop_proof"));
      expect(await api.ask(token, api.proof(ann, token))).toEqual(admitted("app"));
    }
  });

  it("is good nowhere that asks for no proof, and one that is not bound not where a proof is asked for", async () => {
    const [bound, plain, ann] = [await new Api().start(dpop), await new Api().start(undefined), new Holder()];
    const [token, unbound] = [await tokenOf(ann), await issuer.token("opaque")];
    const invalid = refused('Bearer realm="t", error="invalid_token"');
    expect(await plain.ask(token, undefined, "Bearer")).toEqual(invalid);
    expect(await plain.ask(unbound, undefined, "Bearer")).toEqual(admitted("app"));
    expect(await bound.ask(unbound, bound.proof(ann, unbound))).toEqual(said("invalid_token"));
  });

  it("learns the server's nonce by being refused once, which is no guess", async () => {
    const nonce = { secret: "env:NONCE" };
    const [api, ann] = [await new Api().start({ ...dpop, nonce }), new Holder()];
    const token = await tokenOf(ann);
    expect(await api.ask(token, api.proof(ann, token))).toEqual(said("use_dpop_nonce"));
    const first = { nonce: api.lastNonce };
    expect(await api.ask(token, api.proof(ann, token, first))).toEqual(admitted("app"));
  });

  it("ends with its revocation, whatever the proof, and goes on through an outage while it is remembered", async () => {
    const [api, ann] = [await new Api().start(dpop), new Holder()];
    const token = await tokenOf(ann);
    expect(await api.ask(token, api.proof(ann, token))).toEqual(admitted("app"));
    await issuer.stop();
    expect(await api.ask(token, api.proof(ann, token))).toEqual(admitted("app"));
    expect(await api.ask(token)).toEqual(said("invalid_dpop_proof"));
    await issuer.start();
    await issuer.post("/token/revocation", { token });
    api.clock.advance(60_000);
    // The clock of whoever proves has to go along.
    const now = { iat: Math.floor(api.clock.now() / 1000) };
    expect(await api.ask(token, api.proof(ann, token, now))).toEqual(said("invalid_token"));
  });
});

describe("an opaque token that the issuer bound to a certificate", () => {
  const authority = issueCertificate({ subject: [["CN", "clients"]], ca: true });
  const holder = (name: string, by = authority): Issued =>
    issueCertificate({ subject: [["CN", name]], issuer: by });
  const [ann, eve] = [holder("ann"), holder("eve")];
  const forged = holder("ann", issueCertificate({ subject: [["CN", "clients"]], ca: true }));
  const own = issueCertificate({ subject: [["CN", "api"]], hosts: ["localhost"] });

  type Ask = (token: string, by?: Issued) => Promise<Answered>;
  const start = (senderConstrained?: "mtls"): Promise<Ask> => startWith(policyOf(senderConstrained));

  async function startWith(policy: PolicyDocument): Promise<Ask> {
    const engine: Engine = await createEngine(policy, { secrets, clock: new ProviderClock() });
    const server = guard(engine, (_request, response, { decision }) =>
      response.end(decision.principal?.id ?? "nobody"),
    ).attach(
      createTls({
        key: own.key,
        cert: own.cert,
        ca: authority.cert,
        requestCert: true,
        rejectUnauthorized: false,
      }),
    );
    const port = await listen(server);
    later(async () => {
      await stop(server);
      await engine.close();
    });
    return (token, by) =>
      new Promise((resolve, reject) => {
        const sent = requestTls(
          {
            port,
            host: "127.0.0.1",
            servername: "localhost",
            ca: own.cert,
            agent: false,
            headers: { Authorization: `Bearer ${token}` },
            ...(by !== undefined && { key: by.key, cert: by.cert }),
          },
          (response) => {
            let text = "";
            response.setEncoding("utf8");
            response.on("data", (chunk: string) => (text += chunk));
            response.on("end", () => {
              const status = response.statusCode ?? 0;
              const challenge = response.headers["www-authenticate"];
              resolve({ status, text: status === 200 ? text : "", challenge });
            });
          },
        );
        sent.on("error", reject);
        sent.end();
      });
  }

  const invalid = refused('Bearer realm="t", error="invalid_token"');

  it("is good over a connection with that certificate alone, and is asked about once", async () => {
    const ask = await start("mtls");
    const token = await issuer.token("opaque", { certificate: ann.cert });
    issuer.hits.clear();
    expect(await ask(token)).toEqual(invalid);
    expect(issuer.hits.has(INTROSPECTION)).toBe(false);
    expect(await ask(token, ann)).toEqual(admitted("certified"));
    for (const other of [eve, forged, undefined]) expect(await ask(token, other)).toEqual(invalid);
    expect(await ask(token, ann)).toEqual(admitted("certified"));
    expect(issuer.hits.get(INTROSPECTION)).toBe(1);
  });

  it("is good nowhere that asks for none, and one that is not bound not where one is asked for", async () => {
    const [bound, plain, keyHolder] = [await start("mtls"), await start(), new Holder()];
    const token = await issuer.token("opaque", { certificate: ann.cert });
    expect(await plain(token, ann)).toEqual(invalid);
    expect(await bound(await issuer.token("opaque"), ann)).toEqual(invalid);
    const proving = await issuer.token("opaque", { proof: (url) => keyHolder.prove("POST", url) });
    expect(await bound(proving, ann)).toEqual(invalid);
  });

  it("is good as a JSON Web Token too", async () => {
    const user = {
      type: "jwt",
      issuer: issuer.url,
      audience: "api",
      algorithms: ["ES256"],
      profile: "rfc9068",
      keys: { discovery: "openid" },
      clockTolerance: "5s",
      senderConstrained: "mtls",
    };
    const ask = await startWith(policyWith({ user }) as PolicyDocument);
    const token = await issuer.token("jwt", { certificate: ann.cert });
    expect(await ask(token, ann)).toEqual(admitted("certified"));
    for (const other of [eve, forged, undefined]) expect(await ask(token, other)).toEqual(invalid);
    expect(await ask(await issuer.token("jwt"), ann)).toEqual(invalid);
  });
});
