import { fc, test } from "@fast-check/vitest";
import ipaddr from "ipaddr.js";
import { describe, expect, it } from "vitest";
import { parseAddress } from "./ip.js";
import { clientAddress } from "./ip-client.js";
import { inAnyRange, inRange, isRangeProblem, NAMED_RANGES, parseRange } from "./ip-range.js";

function contains(range: string, address: string): boolean {
  const parsed = parseRange(range);
  const candidate = parseAddress(address);
  if (isRangeProblem(parsed) || candidate === undefined) throw new Error("no range or no address");
  return inRange(candidate, parsed);
}

const quad = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)).map((parts) => parts.join("."));
const bits = fc.nat(0xffff).map((part) => part.toString(16));
const v6 = fc.array(bits, { minLength: 8, maxLength: 8 }).map((parts) => parts.join(":"));

describe("ranges", () => {
  test.prop([quad, quad, fc.nat(32)])("an IPv4 range holds what ipaddr.js says", (base, address, prefix) => {
    const network = ipaddr.IPv4.networkAddressFromCIDR(`${base}/${prefix}`).toString();
    const expected = ipaddr.IPv4.parse(address).match(ipaddr.IPv4.parse(network), prefix);
    expect(contains(`${network}/${prefix}`, address)).toBe(expected);
    expect(contains(`${network}/${prefix}`, base)).toBe(true);
  });

  test.prop([v6, v6, fc.integer({ min: 0, max: 128 })])(
    "an IPv6 range holds what ipaddr.js says",
    (base, address, prefix) => {
      const network = ipaddr.IPv6.networkAddressFromCIDR(`${base}/${prefix}`).toString();
      const near = ipaddr.IPv6.parse(base)
        .parts.map((part, index) => (index < 4 ? part : 7).toString(16))
        .join(":");
      for (const candidate of [address, near]) {
        const expected = ipaddr.IPv6.parse(candidate).match(ipaddr.IPv6.parse(network), prefix);
        expect(contains(`${network}/${prefix}`, candidate)).toBe(expected);
      }
    },
  );

  it("holds a mapped address by its IPv4", () => {
    expect(contains("10.0.0.0/8", "::ffff:10.1.2.3")).toBe(true);
    expect(contains("::/0", "10.1.2.3")).toBe(false);
  });

  it.each([
    ["10.1.2.3/8", { problem: "has bits set after its prefix", suggestion: "10.0.0.0/8" }],
    ["2001:db8::1/32", { problem: "has bits set after its prefix", suggestion: "2001:db8::/32" }],
    ["10.0.0.0/33", { problem: "is no IP address or CIDR range" }],
    ["10.0.0.0/08", { problem: "is no IP address or CIDR range" }],
    ["10.0.0.0/", { problem: "is no IP address or CIDR range" }],
    ["10.0.0/8", { problem: "is no IP address or CIDR range" }],
    ["::ffff:10.0.0.0/104", { problem: "is no IP address or CIDR range" }],
    ["private", { problem: "is no IP address or CIDR range" }],
  ])("%s is refused", (text, problem) => {
    expect(parseRange(text)).toEqual(problem);
  });

  it.each([
    ["loopback", "127.255.0.1", true],
    ["loopback", "::1", true],
    ["loopback", "::2", false],
    ["loopback", "128.0.0.1", false],
    ["private", "172.31.255.255", true],
    ["private", "172.32.0.0", false],
    ["private", "192.168.0.1", true],
    ["private", "fd00::1", true],
    ["private", "fe00::1", false],
    ["linklocal", "169.254.1.1", true],
    ["linklocal", "fe80::1", true],
    ["linklocal", "fec0::1", false],
  ])("%s holds %s: %s", (name, text, expected) => {
    const address = parseAddress(text);
    expect(address && inAnyRange(address, NAMED_RANGES.get(name)?.() ?? [])).toBe(expected);
  });
});

describe("clients", () => {
  it.each([
    ["203.0.113.7", 64, { ip: "203.0.113.7", key: "203.0.113.7" }],
    ["::ffff:203.0.113.7", 64, { ip: "203.0.113.7", key: "203.0.113.7" }],
    ["2001:db8:1:2:3:4:5:6", 64, { ip: "2001:db8:1:2:3:4:5:6", key: "2001:db8:1:2::/64" }],
    ["2001:db8:1:2ff:3:4:5:6", 56, { ip: "2001:db8:1:2ff:3:4:5:6", key: "2001:db8:1:200::/56" }],
    ["2001:db8:1:2:3:4:5:6", 48, { ip: "2001:db8:1:2:3:4:5:6", key: "2001:db8:1::/48" }],
    ["64:ff9b::203.0.113.7", 64, { ip: "203.0.113.7", key: "203.0.113.7" }],
    ["2002:cb00:7107::1", 64, { ip: "203.0.113.7", key: "203.0.113.7" }],
    // Forged: these must not become 127.0.0.1 and 10.0.0.1.
    ["2002:7f00:1::1", 64, { ip: "2002:7f00:1::1", key: "2002:7f00:1::/64" }],
    ["64:ff9b::10.0.0.1", 64, { ip: "64:ff9b::a00:1", key: "64:ff9b::/64" }],
    ["::1", 64, { ip: "::1", key: "::/64" }],
  ])("%s under /%i", (text, prefix, expected) => {
    const address = parseAddress(text);
    expect(address && clientAddress(address, prefix)).toEqual(expected);
  });

  test.prop([v6, v6])("all addresses of one /64 are one caller", (first, second) => {
    const head = first.split(":").slice(0, 4);
    const addresses = [first, [...head, ...second.split(":").slice(4)].join(":")].map((text) =>
      parseAddress(text),
    );
    const keys = addresses.map((address) => address && clientAddress(address, 64));
    fc.pre(keys.every((client) => client?.key.endsWith("/64")));
    expect(keys[1]?.key).toBe(keys[0]?.key);
  });
});
