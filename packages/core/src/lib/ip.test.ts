import { fc, test } from "@fast-check/vitest";
import ipaddr from "ipaddr.js";
import { describe, expect, it } from "vitest";
import { embeddedIPv4, formatAddress, parseAddress, parseHop, parseIPv4, parseIPv6 } from "./ip.js";

const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
/** Zeros and ones are frequent, so that runs to be shortened are. */
const group = fc.oneof(fc.constant(0), fc.constant(1), fc.nat(0xffff));
const groups = fc.tuple(group, group, group, group, group, group, group, group);

function canonical(text: string): string | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : formatAddress(address);
}

describe("addresses", () => {
  test.prop([octets])("a dotted quad is its own canonical text", (parts) => {
    expect(canonical(parts.join("."))).toBe(parts.join("."));
  });

  test.prop([groups])("every spelling of IPv6 has the canonical text of RFC 5952", (parts) => {
    const mapped = parts.slice(0, 5).every((part) => part === 0) && parts[5] === 0xffff;
    fc.pre(!mapped);
    const expected = new ipaddr.IPv6([...parts]).toRFC5952String();
    expect(canonical(parts.map((part) => part.toString(16).padStart(4, "0").toUpperCase()).join(":"))).toBe(
      expected,
    );
    expect(canonical(expected)).toBe(expected);
  });

  test.prop([octets])("an IPv4-mapped address is IPv4 in every spelling", (parts) => {
    const quad = parts.join(".");
    const hex = ipaddr.IPv4.parse(quad).toIPv4MappedAddress();
    for (const text of [
      `::ffff:${quad}`,
      `::FFFF:${quad}`,
      `0:0:0:0:0:ffff:${quad}`,
      hex.toNormalizedString(),
    ]) {
      expect(canonical(text)).toBe(quad);
    }
  });

  test.prop([fc.string({ unit: fc.constantFrom(...Array.from("0123456789abcfF:.%[]/ x")) })])(
    "what is read is an address to others too",
    (text) => {
      const address = parseAddress(text);
      if (address !== undefined) expect(ipaddr.isValid(text)).toBe(true);
    },
  );

  it.each([
    "",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "1.2.2.355",
    "01.2.3.4",
    "1.2.3.04",
    "1.2.3.4 ",
    " 1.2.3.4",
    "1.2.3.",
    ".1.2.3.4",
    "0x1.2.3.4",
    "1..2.3",
    "4294967295",
    "1.2.3.4/8",
    "::1%eth0",
    "fe80::1%25eth0",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "::12345",
    "g::",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "::1.2.3",
    "[::1]",
    "unknown",
    "localhost",
    "١.٢.٣.٤",
  ])("%j is no address", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  it.each([
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["2001:DB8::A", "2001:db8::a"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
    ["0:0:1:0:0:1:1:1", "::1:0:0:1:1:1"],
    ["64:ff9b::1.2.3.4", "64:ff9b::102:304"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
  ])("%s is %s", (text, expected) => {
    expect(canonical(text)).toBe(expected);
  });

  it("reads numbers and groups", () => {
    expect(parseIPv4("255.255.255.255")).toBe(0xffff_ffff);
    expect(parseIPv4("0.0.0.0")).toBe(0);
    expect(parseIPv6("::ffff:1.2.3.4")).toEqual([0, 0, 0, 0, 0, 0xffff, 0x102, 0x304]);
  });
});

describe("hops", () => {
  it.each([
    ["203.0.113.7", "203.0.113.7"],
    ["203.0.113.7:4711", "203.0.113.7"],
    ["203.0.113.7:0", "203.0.113.7"],
    ["203.0.113.7:65535", "203.0.113.7"],
    ["2001:db8::1", "2001:db8::1"],
    ["[2001:db8::1]", "2001:db8::1"],
    ["[2001:db8::1]:443", "2001:db8::1"],
    ["[::ffff:1.2.3.4]:80", "1.2.3.4"],
    ["::ffff:1.2.3.4", "1.2.3.4"],
  ])("%s is %s", (text, expected) => {
    const address = parseHop(text);
    expect(address && formatAddress(address)).toBe(expected);
  });

  it.each([
    "",
    "203.0.113.7:",
    "203.0.113.7:65536",
    "203.0.113.7:123456",
    "203.0.113.7:+1",
    "203.0.113.7:4a",
    "[2001:db8::1",
    "[2001:db8::1]443",
    "[2001:db8::1]:",
    "[1.2.3.4]",
    "[]",
    "[::1%eth0]",
    "unknown",
    "_hidden",
    "evil<script>",
    "1.2.3.4, 5.6.7.8",
  ])("%j is no hop", (text) => {
    expect(parseHop(text)).toBeUndefined();
  });
});

describe("embedded addresses", () => {
  it.each([
    ["64:ff9b::203.0.113.7", "203.0.113.7"],
    ["2002:cb00:7107::1", "203.0.113.7"],
    ["64:ff9b:1::203.0.113.7", undefined],
    ["2003:cb00:7107::1", undefined],
    ["203.0.113.7", undefined],
  ])("%s stands for %s", (text, expected) => {
    const address = parseAddress(text);
    const embedded = address === undefined ? -1 : embeddedIPv4(address);
    expect(embedded < 0 ? undefined : formatAddress({ v4: embedded, groups: [] })).toBe(expected);
  });
});
