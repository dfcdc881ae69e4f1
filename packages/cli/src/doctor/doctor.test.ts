import { describe, expect, it } from "vitest";
import { checkPolicy, type PolicyDocument } from "@gatehouse/core";
import { diagnose, type Diagnosis } from "./doctor.js";
import { formatDiagnosis, formatProxy } from "./pretty.js";
import { PROXY_NAMES } from "./names.js";
import { PROXIES } from "./proxies.js";

type Transport = NonNullable<PolicyDocument["transport"]>;

const XFF: Transport = { trust: { peers: ["10.0.0.5/32", "10.0.0.7/32"], header: "x-forwarded-for" } };

function look(
  transport: Transport | undefined,
  headers: readonly (readonly [string, string])[],
  { ip = "10.0.0.5", https = false, host = "api.test" } = {},
): Diagnosis {
  const policy = {
    gatehouse: 1,
    name: "p",
    ...(transport !== undefined && { transport }),
    routes: { "GET /": { authenticate: "none" } },
  } as const satisfies PolicyDocument;
  const all = [["Host", host] as const, ...headers];
  return diagnose(policy, { method: "GET", target: "/", headers: all, body: undefined, https, ip });
}

const advice = ({ advice: found }: Diagnosis): string[] => found.map(({ kind, what }) => `${kind}: ${what}`);
const PROTO = ["X-Forwarded-Proto", "https"] as const;

describe("who the engine takes for the caller", () => {
  it("each hop, and who trusts it", () => {
    const found = look(XFF, [["X-Forwarded-For", "1.1.1.1, 203.0.113.9 , 10.0.0.7"], PROTO]);
    expect(found.seen).toMatchObject({
      client: "203.0.113.9",
      scheme: "https",
      peer: { address: "10.0.0.5", trustedAs: "10.0.0.5/32" },
      hops: [
        { text: "10.0.0.7", address: "10.0.0.7", trustedAs: "10.0.0.7/32" },
        { text: "203.0.113.9", address: "203.0.113.9", trustedAs: undefined },
      ],
    });
    expect(found.attempts.map(({ believed }) => believed)).toEqual([false, false]);
    expect(found.advice).toEqual([]);
  });

  it("a field that came in two lines is one chain, to whoever adds to it too", () => {
    const found = look(XFF, [
      ["X-Forwarded-For", "1.1.1.1"],
      ["X-Forwarded-For", "203.0.113.9, 10.0.0.7"],
      PROTO,
    ]);
    expect(found.seen.client).toBe("203.0.113.9");
    expect(found.attempts[1]).toMatchObject({ client: "203.0.113.9", believed: false });
  });

  it("where everybody is a peer, whoever connects is whom he says", () => {
    const trust = { peers: ["0.0.0.0/1", "128.0.0.0/1"], header: "x-forwarded-for" };
    const found = look({ trust }, [["X-Forwarded-For", "1.1.1.1"], PROTO]);
    expect(found.attempts).toMatchObject([
      { client: "198.51.100.77", believed: true, what: expect.stringContaining("somebody at 203.0.113.77") },
      { client: "198.51.100.77", believed: true },
    ]);
  });

  it("a host that the proxy leaves to the caller is a risk", () => {
    const trust = { ...XFF.trust, peers: ["10.0.0.5/32"], host: true };
    const chain = ["X-Forwarded-For", "203.0.113.9"] as const;
    expect(advice(look({ trust }, [chain, PROTO]))).toEqual([
      "risk: the proxy does not send `x-forwarded-host`, which is read: one that a caller sends is believed",
    ]);
    expect(advice(look({ trust }, [chain, PROTO, ["X-Forwarded-Host", "shop.test"]]))).toEqual([]);
  });

  it("the forwarded field of RFC 7239, with scheme and host in it", () => {
    const trust = { peers: ["10.0.0.5/32"], header: "forwarded", host: true } as const;
    const found = look({ trust }, [["Forwarded", 'for="[2001:db8:1:2::9]:4711";proto=https;host=shop.test']]);
    expect(found.seen).toMatchObject({
      client: "2001:db8:1:2::9",
      key: "2001:db8:1:2::/64",
      scheme: "https",
      host: "shop.test",
    });
    expect(found.schemeFrom).toContain("`proto` of `Forwarded`");
    expect(found.hostFrom).toContain("`host` of `Forwarded`");
    expect(found.advice).toEqual([]);
  });

  it("a head that cannot be read one way is told as that", () => {
    const found = look(XFF, [["Host", "other.test"]]);
    expect(found.seen.refused).toMatchObject({ code: "duplicate-header" });
    expect(formatDiagnosis(found, { colour: false })).toContain("duplicate-header");
  });
});

describe("what to change", () => {
  it.each<[string, Diagnosis, readonly string[]]>([
    [
      "nobody is trusted",
      look(undefined, [["X-Forwarded-For", "203.0.113.9"], PROTO]),
      [
        "wrong: 10.0.0.5 looks like a proxy and sends `x-forwarded-for`, and the policy trusts nobody: all callers behind it are one caller",
        "wrong: the policy asks for HTTPS, and the proxy that says it had it is not trusted",
      ],
    ],
    [
      "a stranger forges: all is well, unless it is a proxy",
      look(XFF, [["X-Forwarded-For", "203.0.113.9"]], { ip: "192.0.2.44", https: true }),
      [
        "risk: 192.0.2.44 sends `x-forwarded-for` and is no trusted peer: if it is a proxy of yours, every caller behind it counts as one",
      ],
    ],
    ["a stranger says nothing", look(XFF, [], { ip: "192.0.2.44", https: true }), []],
    [
      "the proxy speaks another language",
      look(XFF, [["Forwarded", "for=203.0.113.9"], PROTO]),
      ["wrong: the proxy does not send `x-forwarded-for`, so it is taken for the caller itself"],
    ],
    [
      "what it writes is no address",
      look(XFF, [["X-Forwarded-For", "203.0.113.9, unknown"], PROTO]),
      ["wrong: `unknown` is no address, so the walk ends before it and 10.0.0.5 is taken for the caller"],
    ],
    [
      "callers stand in the trusted range",
      look({ trust: { peers: ["private"], header: "x-forwarded-for" } }, [
        ["X-Forwarded-For", "10.9.9.9"],
        PROTO,
      ]),
      [
        "wrong: every address of the chain is trusted, so whatever a caller writes in front of it is believed; 10.9.9.9 lies in `private`",
      ],
    ],
    [
      "the scheme is not told",
      look(XFF, [["X-Forwarded-For", "203.0.113.9"]]),
      ["wrong: the policy asks for HTTPS, and the proxy does not send `x-forwarded-proto`"],
    ],
    [
      "the caller came without TLS",
      look(XFF, [
        ["X-Forwarded-For", "203.0.113.9"],
        ["X-Forwarded-Proto", "http"],
      ]),
      ["wrong: the policy asks for HTTPS, and the caller came to the proxy without"],
    ],
    [
      "a field of one address says nothing of the scheme",
      look({ trust: { peers: ["10.0.0.5/32"], header: "x-real-ip" } }, [["X-Real-IP", "203.0.113.9"], PROTO]),
      [
        "risk: `x-real-ip` is believed as it stands, from anybody in `peers`",
        "wrong: the policy asks for HTTPS, and `x-real-ip` says nothing of it",
      ],
    ],
    [
      "the host is the proxy's own",
      look({ ...XFF, hosts: ["api.test", "*.shop.test"] }, [["X-Forwarded-For", "203.0.113.9"], PROTO], {
        host: "backend",
      }),
      ["wrong: `backend` is none of `transport.hosts`, so the request is 421"],
    ],
    [
      "a wildcard's host",
      look({ ...XFF, hosts: ["*.shop.test"] }, [["X-Forwarded-For", "203.0.113.9"], PROTO], {
        host: "a.shop.test",
      }),
      [],
    ],
  ])("%s", (_what, found, expected) => {
    expect(advice(found)).toEqual(expected);
  });

  it("what somebody forges is tried on the engine's own code, and told when it works", () => {
    const trust = { peers: ["10.0.0.5/32"], header: "x-real-ip", scheme: "x-forwarded-proto" } as const;
    const found = look({ trust }, [["X-Real-IP", "203.0.113.9"], PROTO]);
    expect(found.attempts.map(({ client, believed }) => [client, believed])).toEqual([
      ["203.0.113.77", false],
      ["198.51.100.77", true],
    ]);
    const wide = look({ trust: { peers: ["10.0.0.0/8"], header: "x-forwarded-for" } }, [
      ["X-Forwarded-For", "10.1.1.1"],
    ]);
    expect(wide.attempts.map(({ believed }) => believed)).toEqual([false, true]);
  });

  it("a field cannot move the cursor of whoever reads about it", () => {
    const found = look(XFF, [["X-Forwarded-For", "\u009B2J"], PROTO]);
    expect(formatDiagnosis(found, { colour: false })).not.toContain("\u009B");
  });
});

describe("advice for proxies", () => {
  it.each(PROXY_NAMES)("%s: a policy that serves, and reads the caller and nobody else", (name) => {
    const { trust } = PROXIES[name];
    expect(
      checkPolicy({
        gatehouse: 1,
        name: "p",
        transport: { trust },
        routes: { "GET /": { authenticate: "none" } },
      }),
    ).toEqual([]);
    const [peer = ""] = trust.peers;
    const ip = peer.replace(/\/\d+$/u, "").replace(/\.0$/u, ".1");
    const field = [trust.header ?? "", "203.0.113.9"] as const;
    const found = look({ trust }, [field, PROTO], { ip });
    expect(found.seen).toMatchObject({ client: "203.0.113.9", scheme: "https" });
    expect(found.advice.filter(({ kind }) => kind === "wrong")).toEqual([]);
    expect(formatProxy(PROXIES[name])).toContain(`"header": "${trust.header ?? ""}"`);
  });
});
