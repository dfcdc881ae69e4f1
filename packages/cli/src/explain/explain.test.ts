/** Each code of refusal is explained by what would mend it; and what it says, mended, is admitted. */
import { definePolicy, type PolicyDocument } from "@gatehouse/core";
import { describe, expect, it } from "vitest";
import { presentsCredential } from "./ask.js";
import { explain, type ExplainOptions, type Explanation } from "./explain.js";
import { formatExplanation } from "./pretty.js";
import { placeOf, type WireRequest } from "./request.js";

const policy = definePolicy({
  gatehouse: 1,
  name: "shop",
  transport: { hosts: ["api.example.com"], trust: { peers: ["10.0.0.0/8"], header: "x-forwarded-for" } },
  cors: { origins: ["https://shop.example.com"], enforce: true },
  authenticators: {
    user: {
      type: "jwt",
      issuer: "https://id.example.com/",
      audience: "shop",
      algorithms: ["HS256"],
      keys: { secret: "env:TOKEN_SECRET" },
      principal: { id: "sub", roles: "roles", scopes: "scope", tenant: "org" },
    },
    session: {
      type: "jwt",
      in: "cookie",
      name: "sid",
      issuer: "https://id.example.com/",
      audience: "shop",
      algorithms: ["HS256"],
      keys: { secret: "env:TOKEN_SECRET" },
      principal: { id: "sub", roles: "roles" },
    },
    partner: { type: "custom", use: "partners", in: "header", name: "X-Partner" },
  },
  roles: { admin: ["clerk"], clerk: [], guest: [] },
  limits: { slow: { limit: 2, window: "1m", by: "client.ip" } },
  defaults: { authenticate: ["user"], request: { maxBody: "1kB" } },
  groups: { "/admin": { require: { roles: ["admin"] } } },
  routes: {
    "GET /health": { authenticate: "none", limits: ["slow"] },
    "GET /orders/:org": {
      authorize: [
        { roles: ["clerk"], scopes: ["read", "all"] },
        { when: "principal.tenant == params.org", check: "owns", claims: { "pay.plan": "gold" } },
      ],
      request: { query: { page: { type: "integer", required: true } } },
    },
    "POST /orders": {
      authorize: { roles: ["clerk"], forbid: "body.quantity > 5" },
      request: {
        body: {
          type: "object",
          required: ["quantity"],
          properties: { quantity: { type: "integer", maximum: 10 } },
        },
      },
    },
    "GET /admin/audit": { authorize: "authenticated" },
    "POST /profile": { authenticate: ["session"], authorize: "authenticated" },
    "GET /feed": { authenticate: ["optional", "user"], authorize: { roles: ["guest"] } },
    "GET /secret": { authorize: { roles: ["clerk"] }, conceal: true },
    "GET /watched": { authorize: { roles: ["clerk"] }, mode: "observe" },
    "GET /partner": { authenticate: ["partner"], authorize: "authenticated" },
  },
});

type Asking = Partial<WireRequest> & { readonly url: string; readonly json?: unknown };

function about(
  { url, json, ...rest }: Asking,
  options: ExplainOptions = {},
  document: PolicyDocument = policy,
): Promise<Explanation> {
  const { https, host, target } = placeOf(url);
  const headers = [
    ...(host === undefined ? [] : [["Host", host] as const]),
    ...(json === undefined ? [] : [["Content-Type", "application/json"] as const]),
  ];
  const body = json === undefined ? undefined : new TextEncoder().encode(JSON.stringify(json));
  const { headers: more = [], ...own } = rest;
  const request = {
    method: body === undefined ? "GET" : "POST",
    target,
    https,
    ip: "192.0.2.1",
    body,
    ...own,
    headers: [...headers, ...more],
  };
  return explain(policy === document ? policy : document, request, options);
}

const clerk = {
  person: { id: "ann", roles: ["clerk"], scopes: ["read", "all"], attributes: { tenant: "acme" } },
};
const nobody = { person: { id: "bob", attributes: { tenant: "acme" } } };

describe("what would have to change", () => {
  it.each<[code: string, request: Asking, options: ExplainOptions, hints: readonly (string | RegExp)[]]>([
    [
      "unauthenticated",
      { url: "/orders/acme?page=1" },
      {},
      ["send a token of `user` in `Authorization: Bearer …`"],
    ],
    [
      "unauthenticated",
      { url: "/feed" },
      {},
      ["send a token of `user` in `Authorization: Bearer …`", /asks for the role `guest`/],
    ],
    [
      "forbidden",
      { url: "/admin/audit" },
      clerk,
      ['/groups/~1admin/require asks for the role `admin` (principal.roles is ["clerk"])'],
    ],
    [
      "forbidden",
      { url: "/secret" },
      nobody,
      [
        "/routes/GET ~1secret/authorize asks for the role `clerk` (or `admin`, by inclusion) (principal.roles is [])",
      ],
    ],
    ["not-found", { url: "/helth" }, {}, ["no route has the path; did you mean `/health`?"]],
    ["not-found", { url: "/health/" }, {}, ["ask for `/health`: a path with a slash at its end is another"]],
    ["method-not-allowed", { url: "/health", method: "DELETE" }, {}, ["ask with one of: GET, HEAD"]],
    [
      "https-required",
      { url: "http://api.example.com:80/feed" },
      {},
      [/^ask over HTTPS$|Host/, /10\.0\.0\.0\/8/],
    ],
    [
      "misdirected-host",
      { url: "https://other.example.com/health" },
      {},
      ["send a Host that is served: `api.example.com`"],
    ],
    [
      "origin-not-allowed",
      { url: "/health", headers: [["Origin", "https://evil.example"]] },
      {},
      [/`https:\/\/shop\.example\.com`/],
    ],
    [
      "cross-site-request",
      { url: "/profile", method: "POST", headers: [["Sec-Fetch-Site", "cross-site"]] },
      { person: { id: "ann" } },
      [/same-origin/, /in a header/],
    ],
    ["invalid-parameters", { url: "/orders/acme?page=x" }, clerk, [/^\/query\/page /]],
    [
      "missing-body",
      { url: "/orders", method: "POST" },
      clerk,
      ["send content", /`application\/json` or `\+json`/],
    ],
    [
      "unexpected-body",
      { url: "/orders/acme?page=1", method: "GET", body: new Uint8Array([1]) },
      clerk,
      ["send no content, or ask with another method", /request\.body/],
    ],
    [
      "unsupported-media-type",
      {
        url: "/orders",
        method: "POST",
        body: new Uint8Array([1]),
        headers: [["Content-Type", "text/plain"]],
      },
      clerk,
      [/`application\/json`/],
    ],
    [
      "body-too-large",
      { url: "/orders", json: { quantity: "x".repeat(2000) } },
      clerk,
      ["send at most 1kB, or widen `request.maxBody`"],
    ],
    [
      "invalid-body",
      { url: "/orders", json: { quantity: 11 } },
      clerk,
      ["/body/quantity must be at most 10"],
    ],
    [
      "malformed-body",
      {
        url: "/orders",
        method: "POST",
        body: new Uint8Array([0x7b]),
        headers: [["Content-Type", "application/json"]],
      },
      clerk,
      [/./, /./],
    ],
    [
      "forbidden",
      { url: "/orders", json: { quantity: 7 } },
      clerk,
      [/forbid|`body\.quantity > 5` to be false/],
    ],
    [
      "rate-limited",
      { url: "/health" },
      { repeat: 3 },
      ['the limit `slow` lets 2 in 1m by "client.ip"', /^wait \d+ s \(Retry-After\)$/],
    ],
    [
      "upgrade-refused",
      {
        url: "/health",
        headers: [
          ["Connection", "Upgrade"],
          ["Upgrade", "websocket"],
        ],
      },
      {},
      [/without `Upgrade`/],
    ],
    [
      "duplicate-header",
      {
        url: "/health",
        headers: [
          ["Origin", "https://a.test"],
          ["Origin", "https://b.test"],
        ],
      },
      {},
      [/./, "send it once"],
    ],
    [
      "method-override",
      { url: "/health", headers: [["X-HTTP-Method", "PUT"]] },
      {},
      [/`GET` is what counts/],
    ],
    ["ambiguous-path", { url: "/a/../health" }, {}, [/./]],
  ])("%s %j", async (code, request, options, hints) => {
    const found = await about(request, options);
    expect({ outcome: found.outcome, code: found.code }).toEqual({ outcome: "refuse", code });
    expect(found.hints).toHaveLength(hints.length);
    for (const [index, hint] of hints.entries()) {
      if (typeof hint === "string") expect(found.hints[index]).toBe(hint);
      else expect(found.hints[index]).toMatch(hint);
    }
  });

  it("names for each entry all that it lacks, and nothing that holds", async () => {
    const found = await about(
      { url: "/orders/globex?page=1" },
      {
        person: { id: "eve", roles: ["clerk"], scopes: ["read"], attributes: { tenant: "acme" } },
        checks: { owns: false },
      },
    );
    expect(found.hints).toEqual([
      "/routes/GET ~1orders~1:org/authorize asks for one of:",
      '  - the scope `all` (principal.scopes is ["read"])',
      expect.stringMatching(
        /^ {2}- the claim `pay\.plan` with the value "gold" \(.*\); and `principal\.tenant == params\.org` to be true \(principal\.tenant is "acme", params\.org is "globex"\); and the application's check `owns` to say yes/,
      ),
    ]);
  });

  it.each([
    ["jwt", "dpop", "a token of `bound` in `Authorization: DPoP …`, and a proof of its key in `DPoP`"],
    [
      "introspection",
      "dpop",
      "a token of `bound` in `Authorization: DPoP …`, and a proof of its key in `DPoP`",
    ],
    [
      "jwt",
      "mtls",
      "a token of `bound`, bound to the client certificate that is shown, in `Authorization: Bearer …`",
    ],
    [
      "introspection",
      "mtls",
      "a token of `bound`, bound to the client certificate that is shown, in `Authorization: Bearer …`",
    ],
  ] as const)("names what goes with a bound token: %s, %s", async (type, senderConstrained, what) => {
    const common = { issuer: "https://id.example.com/", audience: "shop", senderConstrained } as const;
    const bound = {
      jwt: { ...common, type: "jwt", algorithms: ["ES256"], keys: { jwks: "k.json" } },
      introspection: {
        ...common,
        type: "introspection",
        url: "https://id.example.com/introspect",
        client: { id: "shop", secret: { secret: "env:S" } },
        in: "header",
      },
    } as const;
    const asking = definePolicy({
      gatehouse: 1,
      name: "bound",
      authenticators: { bound: bound[type] },
      routes: { "GET /": { authorize: "authenticated" } },
    });
    const found = await about({ url: "https://a.test/" }, {}, asking);
    expect(found.hints).toEqual([`send ${what}`]);
    const admitted = await about({ url: "https://a.test/" }, { person: { id: "ann" } }, asking);
    expect(admitted.hints).toEqual([]);
  });

  it("is nothing for what is admitted, and what was assumed is told", async () => {
    const found = await about(
      { url: "/orders/acme?page=1" },
      { person: { id: "bob", claims: { pay: { plan: "gold" } }, attributes: { tenant: "acme" } } },
    );
    expect(found).toMatchObject({
      outcome: "admit",
      status: 200,
      hints: [],
      assumed: ["check `owns` says yes"],
      principal: { id: "bob", tenant: "acme" },
    });
  });

  it("tells what observe mode would have refused", async () => {
    const found = await about({ url: "/watched" }, nobody);
    expect(found.outcome).toBe("admit");
    expect(found.observed.map(({ code }) => code)).toEqual(["forbidden"]);
    expect(found.hints[0]).toContain("the role `clerk`");
    expect(formatExplanation(found)).toContain("admitted, because the route only observes");
  });

  it("tells the concealed code, and what the caller is shown", async () => {
    const found = await about({ url: "/secret" }, nobody);
    expect(found).toMatchObject({ status: 404, code: "forbidden", shown: "not-found" });
  });

  it("speaks for custom authenticators where a person is assumed", async () => {
    expect((await about({ url: "/partner" }, { person: { id: "acme" } })).outcome).toBe("admit");
  });
});

describe("a credential of one's own", () => {
  const secrets = { get: () => "0123456789abcdef0123456789abcdef" };
  const now = Date.parse("2026-06-01T12:00:00Z");
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const token = (header: object, claims: object): string => `${part(header)}.${part(claims)}.AAAA`;

  it("is judged with the policy's keys, and what does not fit is named without its value", async () => {
    const sent = token(
      { alg: "ES256", typ: "dpop+jwt" },
      { iss: "https://canary.example/", aud: ["canary"], exp: now / 1000 - 90 },
    );
    const found = await about(
      { url: "/orders/acme?page=1", headers: [["Authorization", `Bearer ${sent}`]] },
      { secrets, at: now },
    );
    expect(found.code).toBe("invalid-credential");
    expect(found.hints.slice(1)).toEqual([
      "for `user`: its `alg` is none of HS256",
      "for `user`: its `typ` is none of at+jwt, application/at+jwt, JWT",
      "for `user`: its `iss` is not `https://id.example.com/`",
      "for `user`: its `aud` is not `shop`",
      "for `user`: it expired 90 s ago",
    ]);
    expect(JSON.stringify(found) + formatExplanation(found)).not.toMatch(/canary|AAAA/);
  });

  it("needs the policy's secrets", async () => {
    const request: Asking = { url: "/orders/acme?page=1", headers: [["Authorization", "Bearer x"]] };
    await expect(about(request, { secrets: { get: () => undefined } })).rejects.toThrow(
      "secret `env:TOKEN_SECRET` is not set",
    );
  });
});

it("leaves values of the query out of what is printed", async () => {
  const told = formatExplanation(await about({ url: "/health?key=canary&x=1" }));
  expect(told).toContain("/health?key=…&x=…");
  expect(told).not.toContain("canary");
});

describe("callers who are known in other ways than by a token", () => {
  const secret = { secret: "env:S" };
  const document = definePolicy({
    gatehouse: 1,
    name: "others",
    authenticators: {
      basic: { type: "basic", users: secret },
      cert: { type: "mtls", match: [{ subject: "CN=ann", id: "ann" }] },
      hook: { type: "signature", preset: "github", secrets: [secret] },
      message: {
        type: "http-signature",
        keys: [{ keyid: "k", algorithm: "hmac-sha256", key: secret, id: "peer" }],
      },
      device: { type: "custom", use: "device", in: "tls" },
    },
    routes: {
      "GET /a": { authenticate: ["basic", "cert", "hook", "message"], authorize: "authenticated" },
      "GET /b": { authenticate: ["device"], authorize: "authenticated" },
    },
  });

  it("are told what to send", async () => {
    const a = await about({ url: "https://api.test/a" }, {}, document);
    const b = await about({ url: "https://api.test/b" }, {}, document);
    expect([...a.hints.slice(0, 4), b.hints[0]]).toEqual([
      "send a password of `basic` in `Authorization: Basic …`",
      "send a client certificate of `cert`",
      "send a signature over the content of `hook` in the header `x-hub-signature-256`",
      "send a signature over the request (RFC 9421) of `message` in the header `signature-input`",
      "send a credential of `device` that comes with a client certificate",
    ]);
  });

  it.each([
    ["Authorization", "Basic YTpi", true],
    ["X-Hub-Signature-256", "sha256=00", true],
    ["Signature-Input", "sig1=()", true],
    ["X-Other", "1", false],
  ])("present something in %s", (name, value, presents) => {
    const request = {
      method: "GET",
      target: "/a",
      https: true,
      ip: "192.0.2.1",
      body: undefined,
      headers: [[name, value] as const],
    };
    expect(presentsCredential(document, request)).toBe(presents);
  });
});
