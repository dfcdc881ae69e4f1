/** A real OAuth and OpenID server issues the tokens, over real sockets: rotation under load, outages, and lies. */
import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { createEngine, PolicyError, type Engine, type PolicyDocument } from "@gatehouse/core";
import { describe, expect, it } from "vitest";
import { key, ProviderClock, SECRET, type Listener } from "./issuer.js";
import { runningIssuer } from "./running.js";
import { outcome, policyWith, type TestClock } from "./support.js";

const MINUTE = 60_000;

const issuer = runningIssuer();

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
    let before = key("r0");
    issuer.sign(before);
    const { engine, clock } = await start(jwt);
    const outcomes: unknown[] = [];
    const end = new AbortController();
    const load = async (): Promise<void> => {
      while (!end.signal.aborted) outcomes.push(await outcome(engine, await issuer.token("jwt")));
    };
    const loads = [load(), load(), load(), load()];
    for (let round = 1; round <= 6; round += 1) {
      const next = key(`r${round}`);
      const waiting = await Promise.all(Array.from({ length: 4 }, () => issuer.token("jwt")));
      issuer.sign(next, before);
      const seen = outcomes.length;
      while (outcomes.length < seen + 8) await new Promise((resolve) => setImmediate(resolve));
      // Signed with the key that was replaced, which is published still, and shown for the first time now.
      for (const token of waiting) outcomes.push(await outcome(engine, token));
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

  it("go on through an outage as long as they are remembered, and are asked about again after it", async () => {
    const client = { id: "app", secret: { secret: "env:S" } };
    const { engine, clock } = await start(opaque(client));
    const [known, other] = [await issuer.token("opaque"), await issuer.token("opaque")];
    expect(await outcome(engine, known)).toBe("app");
    await issuer.stop();
    expect([await outcome(engine, known), await outcome(engine, other)]).toEqual(["app", 503]);
    clock.advance(MINUTE);
    expect(await outcome(engine, known)).toBe(503);
    await issuer.start();
    clock.advance(MINUTE);
    expect([await outcome(engine, known), await outcome(engine, other)]).toEqual(["app", "app"]);
    await engine.close();
  });
});
