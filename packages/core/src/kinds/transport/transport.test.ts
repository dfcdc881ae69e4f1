import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { resolvePolicy } from "../../compile/resolve.js";
import { Report } from "../../errors/diagnostics.js";
import type { Diagnostic } from "../../errors/diagnostics.js";
import type { PolicyDocument, RouteSettings, TransportSettings } from "../../model/policy.js";
import { compileHosts } from "./hosts.js";
import { transportKind } from "./index.js";

const OPEN: RouteSettings = { authenticate: "none" };

function check(
  transport: TransportSettings,
  routes: PolicyDocument["routes"] = { "GET /": OPEN },
  more: Partial<PolicyDocument> = {},
): readonly Diagnostic[] {
  const report = new Report();
  const policy = resolvePolicy({ gatehouse: 1, name: "test", transport, routes, ...more }, report);
  if (policy === undefined) throw new Error(JSON.stringify(report.diagnostics));
  transportKind.check(policy, report);
  return report.diagnostics;
}

describe("hosts", () => {
  const listed = compileHosts([
    "a.test",
    "B.Test.:8443",
    "*.Example.com",
    "*.c.test:81",
    "[2001:DB8:0::1]",
    "d.test:443",
  ]);

  it.each([
    ["https", "a.test", true],
    ["http", "a.test", true],
    ["https", "a.test:8443", false],
    ["https", "b.test:8443", true],
    ["https", "b.test", false],
    ["https", "shop.example.com", true],
    ["https", "example.com", false],
    ["https", "a.b.example.com", false],
    ["https", "shop.example.com:8443", false],
    ["http", "x.c.test:81", true],
    ["http", "x.c.test", false],
    ["https", "[2001:db8::1]", true],
    ["https", "d.test", true],
    ["http", "d.test:443", true],
    ["http", "d.test", false],
    ["http", "", false],
    ["https", ".example.com", false],
    ["https", "evilexample.com", false],
    ["https", "a_b.example.com", false],
  ] as const)("%s://%s is served: %s", (scheme, host, expected) => {
    expect(listed(scheme, host)).toBe(expected);
  });

  test.prop([fc.domain()])("a_wildcard_is_exactly_one_more_label", (domain) => {
    expect(compileHosts([`*.${domain}`])("https", `x.${domain}`)).toBe(true);
    for (const host of [domain, `x.y.${domain}`, `x${domain}`, `x.${domain}.evil`])
      expect(compileHosts([`*.${domain}`])("https", host)).toBe(false);
  });

  it.each([
    "*",
    "*.",
    "https://a.test",
    "a.test/",
    "a.test:0443",
    "a..test",
    "*.*.test",
    "a.*",
    "user@a.test",
    "*.[::1]",
    "",
  ])("%j is no entry", (host) => {
    expect(check({ hosts: ["a.test", host] })).toEqual([
      {
        code: "invalid-host",
        severity: "error",
        pointer: "/transport/hosts/1",
        message: `\`${host}\` is no host`,
        help:
          host === "*"
            ? "leave `hosts` out to serve any host"
            : "write a host as in `api.example.com`, `api.example.com:8443` or `*.example.com`, without scheme and path",
      },
    ]);
  });
});

describe("what could only misfire", () => {
  it("a redirect to whatever host the caller names", () => {
    expect(check({ https: "redirect" }, { "GET /": { ...OPEN, audience: "browser" } })).toEqual([
      {
        code: "redirect-without-hosts",
        severity: "error",
        pointer: "/transport/https",
        message: "`redirect` needs `hosts`: `Location` would be whatever host the caller named",
        help: "list the hosts that are served in `transport.hosts`",
      },
    ]);
  });

  it("a redirect that no route takes", () => {
    expect(check({ https: "redirect", hosts: ["a.test"] })).toEqual([
      {
        code: "redirect-without-pages",
        severity: "warning",
        pointer: "/transport/https",
        message: '`redirect` acts on routes with `"audience": "browser"`, and there is none',
        help: '`"require"` says the same for an API',
      },
    ]);
  });

  it.each([
    [{ preload: true }, 0],
    [{ preload: true, maxAge: "364d" }, 1],
    [{ preload: true, includeSubDomains: false }, 1],
    [{ preload: false, maxAge: "1m" }, 0],
  ])("preloading under %j: %i", (hsts, count) => {
    const problem = {
      code: "hsts-preload",
      severity: "error",
      pointer: "/transport/hsts/preload",
      message: "browsers preload a domain only with `includeSubDomains` and a `maxAge` of at least `365d`",
      help: "mend those two, or leave `preload` out",
    };
    expect(check({ hsts })).toEqual(Array.from({ length: count }, () => problem));
  });

  it("a route that reads credentials over plain HTTP", () => {
    const key = { type: "api-key", in: "header", name: "X-API-Key", keys: [] } as const;
    expect(
      check(
        {},
        { "GET /": { authenticate: ["k"], authorize: "authenticated", transport: "any" } },
        { authenticators: { k: key } },
      ),
    ).toEqual([
      {
        code: "open-transport",
        severity: "error",
        pointer: "/routes/GET ~1/transport",
        message: "a route that reads credentials cannot take them over plain HTTP or under any host",
        help: '`"transport": "any"` is for probes: write `"authenticate": "none"` beside it, or leave it out',
      },
    ]);
  });

  it("a websocket that nobody can open", () => {
    expect(
      check({}, { "POST /": { ...OPEN, upgrade: "websocket" }, "* /any": { ...OPEN, upgrade: "websocket" } }),
    ).toEqual([
      {
        code: "upgrade-without-get",
        severity: "error",
        pointer: "/routes/POST ~1/upgrade",
        message: "a websocket is opened by GET, and `POST /` has no GET",
        help: "write the route for GET",
      },
    ]);
  });
});

describe("trust", () => {
  const codes = (trust: NonNullable<TransportSettings["trust"]>) =>
    check({ trust }).map(({ code, pointer, message, help }) => [code, pointer, message, help]);
  const header = "x-forwarded-for";

  it.each([
    ["10.0.0.1/8", "`10.0.0.1/8` has bits set after its prefix", "did you mean `10.0.0.0/8`?"],
    ["loopbak", "`loopbak` is no IP address or CIDR range", "did you mean `loopback`?"],
    [
      "10.0.0",
      "`10.0.0` is no IP address or CIDR range",
      "write a CIDR as in `10.0.0.0/8`, or `loopback`, `private` or `linklocal`",
    ],
    [
      "proxy.example.com",
      "`proxy.example.com` is no IP address or CIDR range",
      "write a CIDR as in `10.0.0.0/8`, or `loopback`, `private` or `linklocal`",
    ],
  ])("%s is no peer", (peer, message, help) => {
    expect(codes({ peers: ["private", peer], header })).toEqual([
      ["invalid-address-range", "/transport/trust/peers/1", message, help],
    ]);
  });

  it.each(["0.0.0.0/0", "::/0"])("%s would let every caller choose its address", (peer) => {
    expect(codes({ peers: [peer], header })).toEqual([
      [
        "trust-everyone",
        "/transport/trust/peers/0",
        `\`${peer}\` trusts every caller to name its own address`,
        "list the addresses of the proxies in front of this server",
      ],
    ]);
  });

  it("without a header nothing would be read", () => {
    const expected = [
      [
        "trust-without-header",
        "/transport/trust",
        "`trust` names no header, so nothing that a proxy says is read",
        'write the one header that the proxies set, as in `"header": "x-forwarded-for"`',
      ],
    ];
    expect(codes({ peers: ["loopback"] })).toEqual(expected);
    expect(codes({ peers: ["loopback"], ipv6Prefix: 56, host: true })).toEqual(expected);
    expect(codes({ peers: ["loopback"], ipv6Prefix: 56 })).toEqual([]);
  });

  it("two families are never believed together", () => {
    const only = "and only one header family is believed";
    expect(codes({ peers: ["loopback"], header: "X-Forwarded-For", scheme: "X-Scheme" })).toEqual([
      [
        "trust-two-families",
        "/transport/trust/scheme",
        `\`x-forwarded-for\` brings the scheme itself, ${only}`,
        "leave `scheme` out",
      ],
    ]);
    expect(codes({ peers: ["loopback"], header: "CF-Connecting-IP", host: true })).toEqual([
      [
        "trust-two-families",
        "/transport/trust/host",
        "`cf-connecting-ip` says nothing about the host",
        "leave `host` out, or use `x-forwarded-for` or `forwarded`",
      ],
    ]);
    expect(
      codes({
        peers: ["loopback", "10.0.0.0/8", "2001:db8::1"],
        header: "CF-Connecting-IP",
        scheme: "X-Scheme",
      }),
    ).toEqual([]);
    expect(codes({ peers: ["linklocal"], header: "Forwarded", host: true })).toEqual([]);
  });
});
