/** Certificates: who their holders are, and tokens that are bound to one. */
import { describe, expect, it } from "vitest";
import type { ClientCertificate } from "../../model/request.js";
import type { StateOptions } from "../../model/state.test-support.js";
import { bearer, checkOf, compiled, JWT, NOW, signed, summary } from "./authenticate.test-support.js";

const ANN: ClientCertificate = {
  subject: "CN=ann,O=Shop",
  subjectAltNames: ["DNS:ann.test", "URI:spiffe://shop/ann"],
  fingerprint256: "ab".repeat(32),
  validFrom: NOW - 1000,
  validTo: NOW + 1000,
};

const shown = (clientCertificate: ClientCertificate | undefined, more: StateOptions = {}): StateOptions => ({
  ...more,
  request: { tls: clientCertificate === undefined ? {} : { clientCertificate }, ...more.request },
});

const device = (match: readonly object[]) => ({ device: { type: "mtls", match } });
const judged = async (match: readonly object[], certificate: ClientCertificate = ANN) =>
  summary(await (await compiled({ authenticators: device(match) })).run("GET /", shown(certificate)));

describe("a certificate", () => {
  it.each([
    ["its fingerprint", { fingerprint: "ab".repeat(32) }],
    ["a name", { san: "URI:spiffe://shop/ann" }],
    ["its subject", { subject: "CN=ann,O=Shop" }],
    ["all of them", { fingerprint: "ab".repeat(32), san: "DNS:ann.test", subject: "CN=ann,O=Shop" }],
  ])("is known by %s", async (_name, entry) => {
    expect(await judged([{ ...entry, id: "ann" }])).toBe("device:ann");
  });

  it.each([
    ["another fingerprint", { fingerprint: "ac".repeat(32) }],
    ["a name of another kind", { san: "DNS:spiffe://shop/ann" }],
    ["the beginning of a name", { san: "URI:spiffe://shop/an" }],
    ["a name in other case", { san: "DNS:ANN.test" }],
    ["a pattern", { san: "DNS:*.test" }],
    ["a part of its subject", { subject: "CN=ann" }],
    ["its subject the other way round", { subject: "O=Shop,CN=ann" }],
    ["one of two", { san: "DNS:ann.test", subject: "CN=bob,O=Shop" }],
    ["one of two, the other way", { fingerprint: "ab".repeat(32), san: "DNS:bob.test" }],
  ])("is not known by %s", async (_name, entry) => {
    expect(await judged([{ ...entry, id: "ann" }])).toBe("invalid-credential");
  });

  it("that two entries fit is nobody's, in whatever order they stand", async () => {
    const entries = [
      { san: "DNS:ann.test", id: "ann" },
      { subject: "CN=ann,O=Shop", id: "admin" },
    ];
    expect([await judged(entries), await judged(entries.toReversed())]).toEqual([
      "invalid-credential",
      "invalid-credential",
    ]);
  });

  it("is good within its time, and on an old connection too", async () => {
    const policy = await compiled({ authenticators: device([{ san: "DNS:ann.test", id: "ann" }]) });
    for (const [now, expected] of [
      [NOW - 1001, "invalid-credential"],
      [NOW - 1000, "device:ann"],
      [NOW + 1000, "device:ann"],
      [NOW + 1001, "invalid-credential"],
    ] as const) {
      const outcome = await policy.run("GET /", shown(ANN, { now }));
      expect([summary(outcome), outcome.synchronous]).toEqual([expected, true]);
    }
  });

  it("gives its holder rights and fields, and travels by itself", async () => {
    const entry = {
      san: "DNS:ann.test",
      id: "ann",
      roles: ["clerk"],
      scopes: ["read"],
      attributes: { tenant: "acme" },
    };
    const policy = await compiled({ roles: { clerk: [] }, authenticators: device([entry]) });
    const { identity } = await policy.run("GET /", shown(ANN));
    expect(identity).toMatchObject({
      ambient: true,
      principal: { id: "ann", roles: ["clerk"], scopes: ["read"], tenant: "acme" },
    });
    expect(policy.challenge("GET /")).toEqual([["WWW-Authenticate", 'ClientCertificate realm="t"']]);
  });
});

describe("entries that would misfire", () => {
  it("are told", () => {
    const found = checkOf({
      authenticators: device([
        { id: "anybody" },
        { san: "IP:2001:DB8::1", id: "a" },
        { san: "IP:999.1.1.1", id: "b" },
        { san: "DNS:a.test", id: "c" },
        { san: "DNS:a.test", id: "d" },
        { san: "DNS:b.test", id: "e", roles: ["clerk"], attributes: { id: "root" } },
      ]),
    });
    expect(
      found.map(({ code, pointer, message, help }) => [
        code,
        pointer.replace("/authenticators/device/match", ""),
        message,
        help,
      ]),
    ).toEqual([
      [
        "invalid-certificate-match",
        "/0",
        "the entry would fit every certificate",
        "write `san`, `subject` or `fingerprint`",
      ],
      [
        "invalid-certificate-match",
        "/1/san",
        "`IP:2001:DB8::1` is no address as certificates are read",
        "write `IP:2001:db8::1`",
      ],
      [
        "invalid-certificate-match",
        "/2/san",
        "`IP:999.1.1.1` is no address as certificates are read",
        "write it as in `IP:192.0.2.1` or `IP:2001:db8::1`",
      ],
      [
        "invalid-certificate-match",
        "/4",
        "the entry asks for the same as another",
        "a certificate that two entries fit is refused",
      ],
      [
        "invalid-certificate-match",
        "/5/attributes",
        "an attribute cannot be called `id`",
        "the principal has a field of that name",
      ],
      ["unknown-role", "/5/roles/0", "role `clerk` is not declared in `roles`", undefined],
    ]);
  });
});

describe("custom code for certificates", () => {
  it("is given the certificate, and its hash as the credential", async () => {
    const seen: unknown[] = [];
    const policy = await compiled(
      { authenticators: { device: { type: "custom", use: "device", in: "tls" } } },
      {
        authenticators: {
          device: ({ credential, clientCertificate }) => {
            seen.push(credential, clientCertificate);
            return { principal: { id: "till" } };
          },
        },
      },
    );
    const { identity } = await policy.run("GET /", shown(ANN));
    expect([identity?.principal.id, identity?.ambient, seen]).toEqual([
      "till",
      true,
      [ANN.fingerprint256, ANN],
    ]);
    expect(summary(await policy.run("GET /", shown(undefined)))).toBe("unauthenticated");
  });
});

describe("B3.79 a token that is bound to a certificate", () => {
  const cnf = { "x5t#S256": Buffer.from(ANN.fingerprint256, "hex").toString("base64url") };
  const on = async (
    claims: Readonly<Record<string, unknown>>,
    certificate: ClientCertificate | undefined,
    now = NOW,
  ) => {
    const policy = await compiled({ authenticators: { user: { ...JWT, senderConstrained: "mtls" } } });
    const { headerFields } = bearer(await signed(claims));
    const headers = new Map(Object.entries(headerFields ?? {}));
    const first = await policy.run("GET /", shown(certificate, { now, request: { headers } }));
    // Again, from memory: the binding is asked on every use.
    const second = await policy.run("GET /", shown(certificate, { now, request: { headers } }));
    expect(summary(second)).toBe(summary(first));
    return first.verdict?.kind === "refusal" ? first.verdict.reason : summary(first);
  };

  it("needs that certificate, on every use", async () => {
    expect(await on({ cnf }, ANN)).toBe("user:ann");
    expect(await on({ cnf }, { ...ANN, fingerprint256: "ac".repeat(32) })).toBe(
      "the token is bound to another certificate",
    );
    expect(await on({ cnf }, undefined)).toBe(
      "the token is bound to a certificate, and no verified one came with the connection",
    );
    expect(await on({ cnf }, ANN, NOW + 1001)).toBe("the client certificate is not valid now");
    expect(await on({}, ANN)).toBe(
      "the token is not bound to a key or certificate (`cnf`), as it must be here",
    );
    expect(await on({ cnf: { ...cnf, jkt: "x" } }, ANN)).toBe(
      "the token is bound (`cnf`) in another way than is asked for here",
    );
  });
});
