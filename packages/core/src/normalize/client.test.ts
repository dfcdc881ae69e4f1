import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import type { TrustSettings } from "../model/policy.js";
import type { HeaderField, NormalizedRequest } from "../model/request.js";
import { accepted, normalizerFor, outcome, rawRequest } from "./normalize.test-support.js";

const XFF: TrustSettings = { peers: ["10.0.0.0/8", "loopback"], header: "X-Forwarded-For" };
const FORWARDED: TrustSettings = { peers: ["10.0.0.0/8", "loopback"], header: "forwarded" };

interface Arrival {
  readonly peer?: string | undefined;
  readonly fields?: readonly HeaderField[];
  readonly encrypted?: boolean;
}
function arrive(trust: TrustSettings | undefined, { peer, fields, encrypted }: Arrival): NormalizedRequest {
  const normalize = normalizerFor(trust === undefined ? {} : { trust });
  return accepted(
    normalize(
      rawRequest({ remoteAddress: peer, encrypted, headers: [["Host", "a.test"], ...(fields ?? [])] }),
    ),
  );
}
const ipOf = (trust: TrustSettings | undefined, arrival: Arrival) => arrive(trust, arrival).clientIp;
const viaXff = (chain: string, peer = "10.0.0.1") =>
  ipOf(XFF, { peer, fields: [["X-Forwarded-For", chain]] });

describe("direct callers", () => {
  it.each([
    ["203.0.113.7", "203.0.113.7", "203.0.113.7"],
    ["::ffff:203.0.113.7", "203.0.113.7", "203.0.113.7"],
    ["2001:DB8::1", "2001:db8::1", "2001:db8::/64"],
    ["fe80::1%eth0", "fe80::1", "fe80::/64"],
    [undefined, undefined, undefined],
    ["", undefined, undefined],
    ["/run/socket", undefined, undefined],
  ])("the peer %s is %s", (peer, ip, key) => {
    const request = arrive(undefined, { peer });
    expect([request.clientIp, request.clientKey]).toEqual([ip, key]);
  });

  it("count IPv6 by the prefix that the policy names", () => {
    expect(arrive({ peers: ["loopback"], ipv6Prefix: 56 }, { peer: "2001:db8:1:2ff::1" }).clientKey).toBe(
      "2001:db8:1:200::/56",
    );
  });

  test.prop([fc.string(), fc.string(), fc.constantFrom("http", "https")])(
    "rotating_forwarded_fields_from_an_untrusted_peer_changes_nothing",
    (chain, host, proto) => {
      fc.pre(!/[\r\n\0]/.test(chain + host));
      const fields: HeaderField[] = [
        ["X-Forwarded-For", chain],
        ["X-Forwarded-Host", host],
        ["X-Forwarded-Proto", proto],
        ["Forwarded", `for=1.2.3.4;proto=${proto}`],
        ["X-Real-IP", "1.2.3.4"],
      ];
      for (const trust of [
        undefined,
        { ...XFF, host: true },
        { ...FORWARDED, host: true },
        { peers: ["loopback"], header: "x-real-ip" },
      ]) {
        const request = arrive(trust, { peer: "203.0.113.7", fields });
        expect([request.clientIp, request.scheme, request.host]).toEqual(["203.0.113.7", "http", "a.test"]);
      }
    },
  );
});

describe("X-Forwarded-For", () => {
  it.each([
    ["198.51.100.9", "198.51.100.9"],
    ["1.1.1.1, 198.51.100.9", "198.51.100.9"],
    ["1.1.1.1, 198.51.100.9, 10.0.0.2", "198.51.100.9"],
    ["198.51.100.9,10.0.0.3 ,\t10.0.0.2", "198.51.100.9"],
    ["10.0.0.3, 10.0.0.2", "10.0.0.3"],
    ["198.51.100.9:4711", "198.51.100.9"],
    ["[2001:db8::1]:4711", "2001:db8::1"],
    ["2001:db8::1, ::ffff:10.0.0.2", "2001:db8::1"],
    ["127.0.0.1, 198.51.100.9", "198.51.100.9"],
  ])("%s: the client is %s", (chain, expected) => {
    expect(viaXff(chain)).toBe(expected);
  });

  it.each([
    "",
    "unknown",
    "evil<script>",
    "1.2.3.4.5",
    "198.51.100.256",
    "0198.51.100.9",
    "198.51.100.9,",
    "fe80::1%eth0",
    '"198.51.100.9"',
    "for=198.51.100.9",
    "1.1.1.1 2.2.2.2",
    ",",
  ])("%j ends the walk at the proxy", (chain) => {
    expect(viaXff(chain)).toBe("10.0.0.1");
  });

  it("an entry that does not parse ends the walk at the last good hop", () => {
    expect(viaXff("1.1.1.1, junk, 10.0.0.2")).toBe("10.0.0.2");
    expect(viaXff("1.1.1.1, , 10.0.0.2")).toBe("10.0.0.2");
  });

  it("walks 32 hops at most", () => {
    const proxies = (count: number) =>
      Array.from({ length: count }, (_, index) => `10.1.0.${index}`).join(", ");
    expect(viaXff(`198.51.100.9, ${proxies(31)}`)).toBe("198.51.100.9");
    expect(viaXff(`198.51.100.9, ${proxies(32)}`)).toBe("10.1.0.0");
  });

  it("continues over several fields", () => {
    expect(
      ipOf(XFF, {
        peer: "10.0.0.1",
        fields: [
          ["X-Forwarded-For", "198.51.100.9"],
          ["x-forwarded-for", "10.0.0.2"],
        ],
      }),
    ).toBe("198.51.100.9");
  });

  it("takes the scheme from the last value of X-Forwarded-Proto", () => {
    const scheme = (proto: string, encrypted = false) =>
      arrive(XFF, { peer: "10.0.0.1", encrypted, fields: [["X-Forwarded-Proto", proto]] }).scheme;
    expect(scheme("https")).toBe("https");
    expect(scheme("HTTPS")).toBe("https");
    expect(scheme("https, http", true)).toBe("http");
    expect(scheme("http, https")).toBe("https");
    expect(scheme("junk", true)).toBe("http");
    expect(arrive(XFF, { peer: "10.0.0.1", encrypted: true }).scheme).toBe("https");
  });

  it("takes the host only where the policy says so", () => {
    const fields: HeaderField[] = [
      ["X-Forwarded-Host", "evil.test, Shop.Example.com:443"],
      ["X-Forwarded-Proto", "https"],
    ];
    expect(arrive(XFF, { peer: "10.0.0.1", fields }).host).toBe("a.test");
    expect(arrive({ ...XFF, host: true }, { peer: "10.0.0.1", fields }).host).toBe("shop.example.com");
    const normalize = normalizerFor({ trust: { ...XFF, host: true } });
    expect(
      outcome(
        normalize(
          rawRequest({
            remoteAddress: "10.0.0.1",
            headers: [
              ["Host", "a.test"],
              ["X-Forwarded-Host", "u@b"],
            ],
          }),
        ),
      ),
    ).toBe("ambiguous-host");
  });

  it("believes no other family", () => {
    expect(
      ipOf(XFF, {
        peer: "10.0.0.1",
        fields: [
          ["Forwarded", "for=198.51.100.9;proto=https"],
          ["X-Real-IP", "198.51.100.9"],
        ],
      }),
    ).toBe("10.0.0.1");
  });
});

describe("Forwarded", () => {
  const via = (field: string) => {
    const { clientIp, scheme } = arrive(FORWARDED, { peer: "10.0.0.1", fields: [["Forwarded", field]] });
    return [clientIp, scheme];
  };

  it.each([
    ["for=198.51.100.9", "198.51.100.9", "http"],
    ["For=198.51.100.9;Proto=HTTPS", "198.51.100.9", "https"],
    ['for="198.51.100.9:4711" ; proto="https"', "198.51.100.9", "https"],
    ['for="[2001:db8::1]:4711"', "2001:db8::1", "http"],
    ["for=1.1.1.1;proto=https, for=198.51.100.9", "198.51.100.9", "http"],
    ["for=198.51.100.9;proto=https, for=10.0.0.2;proto=http", "198.51.100.9", "https"],
    ['for="\\1\\98.51.100.9"', "198.51.100.9", "http"],
    ["for=10.0.0.3;proto=https,for=10.0.0.2", "10.0.0.3", "https"],
    ["for=unknown;proto=https", "10.0.0.1", "https"],
    ["for=_hidden, for=10.0.0.2", "10.0.0.2", "http"],
    ["proto=https", "10.0.0.1", "https"],
    ["for=127.0.0.1, for=198.51.100.9", "198.51.100.9", "http"],
  ])("%s: %s over %s", (field, ip, scheme) => {
    expect(via(field)).toEqual([ip, scheme]);
  });

  it.each([
    "",
    "for",
    "for=",
    "for=198.51.100.9;",
    "for=198.51.100.9,",
    "for=198.51.100.9;for=10.0.0.2",
    "for=198.51.100.9:80",
    "for=[2001:db8::1]",
    'for="198.51.100.9',
    'for="198.51.100.9\\',
    "for =198.51.100.9",
    "for= 198.51.100.9",
    "for=198.51.100.9 proto=https",
    "for=198.51.100.9;proto=https;proto=http",
    "198.51.100.9",
  ])("%j breaks the grammar, so nothing of it is believed", (field) => {
    expect(via(field)).toEqual(["10.0.0.1", "http"]);
  });

  // A caller whose rubbish made the field unreadable would be taken for the proxy, with whatever its address is trusted with.
  it.each([
    "rubbish, for=198.51.100.9",
    ", for=198.51.100.9",
    'for="10.0.0.9, for=198.51.100.9',
    'for=", for=198.51.100.9;by="10.0.0.1"',
    "for=10.0.0.9;for=10.0.0.9, for=198.51.100.9",
    ",,,,,,,,,,,,,,,, for=198.51.100.9",
    'for=10.0.0.9, for=198.51.100.9;host="a,for=10.0.0.9;x=";by="b"',
    'for=10.0.0.9, for=198.51.100.9;host="\\"a,for=10.0.0.9"',
    'for=198.51.100.9;host="a,b,c", for=10.0.0.2;host="d,e"',
  ])("%j: what stands before the proxies' own words does not hide them", (field) => {
    expect(via(field)[0]).toBe("198.51.100.9");
  });

  it("ends the walk at the last good hop where an element before it cannot be read", () => {
    expect(via("rubbish, for=10.0.0.2;proto=https")).toEqual(["10.0.0.2", "https"]);
  });

  it("reads no more of a flood of commas than an element may hold", () => {
    expect(via(`for=198.51.100.9;host="${",".repeat(9)}"`)).toEqual(["10.0.0.1", "http"]);
    expect(via(`for=198.51.100.9;host="${",".repeat(8)}"`)).toEqual(["198.51.100.9", "http"]);
  });

  it.each(['for="2001:db8::1"', 'for="198.51.100.9:99999"', 'for="fe80::1%eth0"', 'for=""'])(
    "%s names no address",
    (field) => {
      expect(via(field)).toEqual(["10.0.0.1", "http"]);
    },
  );

  it("takes the host of the same element where the policy says so", () => {
    const fields: HeaderField[] = [
      ["Forwarded", "for=198.51.100.9;host=shop.example.com;proto=https, for=10.0.0.2;host=inner"],
    ];
    expect(arrive({ ...FORWARDED, host: true }, { peer: "10.0.0.1", fields }).host).toBe("shop.example.com");
    expect(arrive(FORWARDED, { peer: "10.0.0.1", fields }).host).toBe("a.test");
  });

  test.prop([fc.string()])("is read or not, and never thrown at", (field) => {
    fc.pre(!/[\r\n\0]/.test(field));
    expect(via(field)).toHaveLength(2);
  });
});

describe("one single-value header", () => {
  const CF: TrustSettings = { peers: ["10.0.0.0/8"], header: "CF-Connecting-IP", scheme: "X-Scheme" };
  it.each([
    ["198.51.100.9", "198.51.100.9"],
    ["2001:db8::1", "2001:db8::1"],
    ["10.0.0.9", "10.0.0.9"],
    ["198.51.100.9, 1.1.1.1", "10.0.0.1"],
    ["unknown", "10.0.0.1"],
    ["", "10.0.0.1"],
  ])("%j: the client is %s", (value, expected) => {
    expect(
      ipOf(CF, {
        peer: "10.0.0.1",
        fields: [
          ["CF-Connecting-IP", value],
          ["X-Forwarded-For", "1.1.1.1"],
        ],
      }),
    ).toBe(expected);
  });

  it("has the scheme in a field of its own, else it is the socket's", () => {
    const scheme = (trust: TrustSettings) =>
      arrive(trust, {
        peer: "10.0.0.1",
        fields: [
          ["X-Scheme", "https"],
          ["X-Forwarded-Proto", "https"],
        ],
      }).scheme;
    expect(scheme(CF)).toBe("https");
    expect(scheme({ peers: ["10.0.0.0/8"], header: "CF-Connecting-IP" })).toBe("http");
  });
});

describe("the walk", () => {
  const address = fc.oneof(
    fc.constantFrom("10.0.0.2", "10.0.0.3", "127.0.0.1"),
    fc.tuple(fc.integer({ min: 11, max: 126 }), fc.nat(255)).map(([a, b]) => `${a}.0.0.${b}`),
  );
  const trusted = (text: string) => text.startsWith("10.") || text.startsWith("127.");

  test.prop([fc.array(address, { minLength: 1, maxLength: 40 })])(
    "ends_at_the_first_untrusted_address",
    (chain) => {
      const near = chain.toReversed().slice(0, 32);
      const expected = near.find((text) => !trusted(text)) ?? near.at(-1);
      expect(viaXff(chain.join(", "))).toBe(expected);
      expect(
        ipOf(FORWARDED, {
          peer: "10.0.0.1",
          fields: [["Forwarded", chain.map((text) => `for=${text}`).join(",")]],
        }),
      ).toBe(expected);
    },
  );

  test.prop([fc.string(), address])(
    "what_stands_left_of_an_untrusted_address_is_never_read",
    (left, right) => {
      fc.pre(!trusted(right) && !/[\r\n\0]/.test(left));
      expect(viaXff(`${left}, ${right}, 10.0.0.2`)).toBe(right);
    },
  );
});
