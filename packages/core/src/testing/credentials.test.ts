/** Real credentials through the real engine: what the policy says of them is the policy's own. */
import { afterEach, describe, expect, it } from "vitest";
import { definePolicy, type PolicyDocument } from "../index.js";
import type { JwtSettings } from "../model/policy.js";
import { policyKit, type KitOptions, type PolicyKit } from "./kit.js";
import { expectAdmitted, expectRefused } from "./matchers.js";
import type { TestPerson } from "./policy-test.gen.js";

const kits: PolicyKit[] = [];
afterEach(async () => {
  for (const kit of kits.splice(0)) await kit.close();
});

async function kitFor(policy: PolicyDocument, options: KitOptions = {}): Promise<PolicyKit> {
  const kit = await policyKit(policy, options);
  kits.push(kit);
  return kit;
}

function withToken(settings: Partial<JwtSettings>): PolicyDocument {
  const user: JwtSettings = {
    type: "jwt",
    issuer: "https://id.test/",
    audience: "api",
    algorithms: ["ES256"],
    keys: { jwks: "no/such/file.json" },
    principal: { id: "sub", roles: "roles", scopes: "scope", tenant: "org" },
    ...settings,
  };
  return definePolicy({
    gatehouse: 1,
    name: "tokens",
    authenticators: { user },
    roles: { admin: ["clerk"], clerk: [] },
    routes: {
      "GET /clerks": { authorize: { roles: ["clerk"] } },
      "GET /all": { authorize: "authenticated" },
      "POST /all": { authorize: "authenticated" },
    },
  });
}

const clerk: TestPerson = { roles: ["clerk"] };

describe("tokens", () => {
  const secret = { secret: "env:K" };
  it.each<[JwtSettings["algorithms"][number], JwtSettings["keys"]]>([
    ["HS256", secret],
    ["HS384", secret],
    ["HS512", secret],
    ["RS256", { pem: { secret: "file:k.pem" } }],
    ["RS384", { jwks: "k.json" }],
    ["RS512", { jwks: "k.json" }],
    ["PS256", { jwks: "k.json" }],
    ["PS384", { jwks: "k.json" }],
    ["PS512", { jwks: "k.json" }],
    ["ES256", { jwks: "k.json" }],
    ["ES384", { jwks: "k.json" }],
    ["ES512", { jwks: "k.json" }],
    ["EdDSA", { jwks: "k.json" }],
    ["Ed25519", { jwks: "k.json" }],
  ])("of %s verify, and forged ones do not", async (algorithm, keys) => {
    const kit = await kitFor(withToken({ algorithms: [algorithm], keys }));
    expectAdmitted(await kit.as(clerk).get("/clerks"));
    expectRefused(await kit.as({ ...clerk, forged: true }).get("/clerks"), { code: "invalid-credential" });
  });

  it.each<[string, TestPerson]>([
    ["another issuer", { claims: { iss: "https://id.test" } }],
    ["no issuer", { claims: { iss: null } }],
    ["another audience", { claims: { aud: "other" } }],
    ["another type", { header: { typ: "logout+jwt" } }],
    ["a name that no key has", { header: { kid: "other" } }],
    ["an algorithm that the policy does not allow", { header: { alg: "RS256" } }],
    ["a shared secret's algorithm", { header: { alg: "HS256" } }],
    ["no end", { claims: { exp: null } }],
    ["a beginning in the future", { claims: { nbf: { $now: 31 } } }],
    ["an end that lies farther back than clocks may differ", { expires: "-30s" }],
    ["a binding to a key", { claims: { cnf: { jkt: "x" } } }],
    ["an extension that nobody knows", { header: { crit: ["x"], x: 1 } }],
    ["roles in a form that is none", { claims: { roles: 7 } }],
    ["no id", { claims: { sub: null } }],
  ])("with %s are refused", async (_what, person) => {
    const kit = await kitFor(withToken({ clockTolerance: "30s" }));
    expectRefused(await kit.as(person).get("/all"), { stage: "authenticate", code: "invalid-credential" });
  });

  it.each<[string, TestPerson]>([
    ["an end within the tolerance", { expires: "-29999ms" }],
    ["a beginning within the tolerance", { claims: { nbf: { $now: 30 } } }],
    ["no name of a key, where one alone can be meant", { header: { kid: null } }],
    ["several audiences", { claims: { aud: ["x", "api"] } }],
  ])("with %s are accepted", async (_what, person) => {
    const kit = await kitFor(withToken({ clockTolerance: "30s" }));
    expectAdmitted(await kit.as(person).get("/all"));
  });

  it("are made afresh for each request, unless they expire", async () => {
    const kit = await kitFor(withToken({ maxAge: "10m" }), {
      people: { fresh: {}, brief: { expires: "5m" }, long: { expires: "2h" } },
    });
    const ask = (who: string) => kit.as(who).get("/all");
    for (const who of ["fresh", "brief", "long"]) expectAdmitted(await ask(who));
    kit.clock.advance("4m");
    for (const who of ["fresh", "brief", "long"]) expectAdmitted(await ask(who));
    kit.clock.advance("1m");
    expectRefused(await ask("brief"), { code: "invalid-credential" });
    expectAdmitted(await ask("long"));
    kit.clock.advance("5m");
    // `maxAge` of the policy, whatever the token says of its end.
    expectRefused(await ask("long"), { code: "invalid-credential" });
    expectAdmitted(await ask("fresh"));
  });

  it("bring what the policy makes of them: hierarchy, attributes, an id by the person's name", async () => {
    const kit = await kitFor(withToken({}), {
      people: { ann: { roles: ["admin"], scopes: ["a", "b"], attributes: { tenant: "acme" } } },
    });
    expectAdmitted(await kit.as("ann").get("/clerks"), {
      handler: {
        principal: {
          id: "ann",
          roles: ["admin", "clerk"],
          scopes: ["a", "b"],
          tenant: "acme",
          authenticator: "user",
        },
      },
    });
  });

  it("lose the roles that `confers` leaves out", async () => {
    const kit = await kitFor(withToken({ confers: ["clerk"] }));
    expectRefused(await kit.as({ roles: ["admin"] }).get("/clerks"), { code: "forbidden" });
    expectAdmitted(await kit.as(clerk).get("/clerks"));
  });

  it("travel in the cookie and under the scheme that the policy names", async () => {
    const cookie = await kitFor(withToken({ in: "cookie", name: "session" }));
    expectAdmitted(await cookie.as(clerk).get("/clerks", { cookies: { theme: "dark" } }), {
      handler: { cookies: { theme: "dark" } },
    });
    expectRefused(await cookie.as(clerk).post("/all"), { code: "cross-site-request" });
    const scheme = await kitFor(withToken({ scheme: "Token" }));
    const result = await scheme.as(clerk).get("/clerks");
    expectAdmitted(result);
    expect(result.request.headers.find(([name]) => name === "Authorization")?.[1]).toMatch(/^Token ey/u);
  });

  it("are for the audience that stands in another claim", async () => {
    const kit = await kitFor(withToken({ audience: { claim: "client_id", values: ["web", "app"] } }));
    expectAdmitted(await kit.as(clerk).get("/clerks"));
    expectRefused(await kit.as({ ...clerk, claims: { client_id: "x" } }).get("/clerks"), { status: 401 });
  });
});

const several = definePolicy({
  gatehouse: 1,
  name: "several",
  authenticators: {
    header: { type: "api-key", in: "header", name: "X-Key", keys: { secret: "file:keys.json" } },
    query: { type: "api-key", in: "query", name: "key", keys: { lookup: "byHash" } },
    own: {
      type: "custom",
      use: "badge",
      in: "header",
      name: "X-Badge",
      principal: { ward: "ward", id: "nr" },
    },
    plain: { type: "custom", use: "plain", in: "cookie", name: "plain" },
  },
  roles: { clerk: [], nurse: [] },
  defaults: { authorize: "authenticated" },
  routes: {
    "GET /keys": { authenticate: ["header", "query"] },
    "GET /other-keys": { authenticate: ["header"] },
    "GET /badge": { authenticate: ["own"] },
    "GET /plain": { authenticate: ["plain"], authorize: { roles: ["nurse"], scopes: ["read"] } },
    "GET /both": { authenticate: [["header", "own"]] },
  },
});

describe("API keys", () => {
  it("are known by their record: roles, attributes, expiry, routes", async () => {
    const kit = await kitFor(several, {
      people: {
        ann: { authenticator: "header", attributes: { tenant: "acme" }, roles: ["clerk"], scopes: ["s"] },
        brief: { authenticator: "query", expires: "1m" },
        narrow: { authenticator: "header", routes: ["GET /keys"] },
      },
    });
    expectAdmitted(await kit.as("ann").get("/keys"), {
      handler: {
        principal: { id: "ann", tenant: "acme", roles: ["clerk"], scopes: ["s"], claims: { tenant: "acme" } },
      },
    });
    expectAdmitted(await kit.as("brief").get("/keys?x=1"));
    kit.clock.advance("1m");
    expectRefused(await kit.as("brief").get("/keys"), { code: "invalid-credential" });
    expectAdmitted(await kit.as("narrow").get("/keys"));
    expectRefused(await kit.as("narrow").get("/other-keys"), { code: "invalid-credential" });
    expectRefused(await kit.as({ authenticator: "header", forged: true }).get("/keys"), { status: 401 });
  });

  it("are not found where the lookup fails", async () => {
    const kit = await kitFor(several, { lookups: { byHash: "throws" } });
    expectRefused(await kit.as({ authenticator: "query" }).get("/keys"), {
      code: "internal-error",
      status: 500,
    });
    expectAdmitted(await kit.as({ authenticator: "header" }).get("/keys"));
  });
});

describe("credentials of the application's own", () => {
  it("are what the stub says of them, through the policy's map", async () => {
    const kit = await kitFor(several, {
      people: {
        nurse: { authenticator: "own", id: "n7", attributes: { ward: "3b" } },
        plain: { authenticator: "plain", roles: ["nurse"], scopes: ["read"], claims: { shift: "late" } },
        gone: { authenticator: "own", expires: "-1s" },
      },
    });
    expectAdmitted(await kit.as("nurse").get("/badge"), { handler: { principal: { id: "n7", ward: "3b" } } });
    expectAdmitted(await kit.as("plain").get("/plain"), {
      handler: { principal: { id: "plain", claims: { shift: "late" } } },
    });
    expectRefused(await kit.as("gone").get("/badge"), { code: "invalid-credential" });
    expectRefused(await kit.as({ authenticator: "own", forged: true }).get("/badge"), { status: 401 });
  });

  it("are a fault where the code fails", async () => {
    const kit = await kitFor(several, { authenticators: { badge: "throws" } });
    expectRefused(await kit.as({ authenticator: "own" }).get("/badge"), { status: 500 });
  });

  it("stand beside others, where the policy asks for several", async () => {
    const person: TestPerson = { credentials: { header: { id: "lab" }, own: { id: "n7" } } };
    const kit = await kitFor(several);
    const result = await kit.as(person).get("/both");
    expectAdmitted(result, { handler: { principal: { id: "n7" } } });
    expect(result.handler?.principal?.with?.["header"]?.id).toBe("lab");
    expectRefused(await kit.as({ authenticator: "own" }).get("/both"), { code: "unauthenticated" });
  });
});
