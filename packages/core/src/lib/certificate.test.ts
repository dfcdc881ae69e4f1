/** Certificates against Node's own reading of them, and against bytes that are none. */
import { X509Certificate } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { issueCertificate, type Attribute } from "../conformance/certificate.js";
import { readCertificateFacts } from "./certificate.js";
import { derInside, derOf, oidOf } from "./der.js";

const { key } = issueCertificate({ subject: [["CN", "key"]] });

function derOfCertificate(options: Parameters<typeof issueCertificate>[0]): Buffer {
  return new X509Certificate(issueCertificate({ key, ...options }).cert).raw;
}

/** Node writes one part a line, least specific first, each escaped as in RFC 4514. */
function nodesName(text: string | undefined): string {
  return (text ?? "").split("\n").reverse().join(",");
}

describe("what a certificate says", () => {
  it("is what Node reads in it", () => {
    const value = fc.string({
      unit: fc.constantFrom(...Array.from('ab, +"\\<>;=\n\0é漢')),
      minLength: 1,
      maxLength: 8,
    });
    const attribute = fc.tuple(fc.constantFrom("CN", "O", "OU"), value) as fc.Arbitrary<Attribute>;
    fc.assert(
      fc.property(fc.array(attribute, { minLength: 1, maxLength: 4 }), (subject) => {
        const der = derOfCertificate({ subject });
        expect(readCertificateFacts(der)?.subject).toBe(nodesName(new X509Certificate(der).subject));
      }),
      { numRuns: 200 },
    );
  });

  it("a leading `#` is escaped, also where OpenSSL forgets it", () => {
    const der = derOfCertificate({
      subject: [
        ["CN", "#"],
        ["O", "#1#"],
      ],
    });
    expect(readCertificateFacts(der)?.subject).toBe("O=\\#1#,CN=\\#");
  });

  it("names stand apart whatever stands in them", () => {
    const hosts = ["a.test, DNS:b.test", 'c"d', "plain.test"];
    const der = derOfCertificate({
      subject: [["CN", "x"]],
      hosts,
      uris: ["spiffe://shop/ann"],
      emails: ["a@b.test"],
    });
    expect(readCertificateFacts(der)).toEqual({
      subject: "CN=x",
      subjectAltNames: ["email:a@b.test", ...hosts.map((host) => `DNS:${host}`), "URI:spiffe://shop/ann"],
      validFrom: Date.UTC(2020, 0, 1),
      validTo: Date.UTC(2049, 11, 31),
    });
  });

  it("a name with a NUL or beyond ASCII is nobody's", () => {
    const der = derOfCertificate({
      subject: [["CN", "x"]],
      hosts: ["a.test\0.evil.test", "ä.test", "b.test"],
    });
    expect(readCertificateFacts(der)?.subjectAltNames).toEqual(["DNS:b.test"]);
  });

  it("addresses have one spelling", () => {
    const names = Buffer.from("30188704c0000201871020010db8000000000000000000000001", "hex");
    const good = derOfCertificate({ subject: [["CN", "x"]], hosts: ["h".repeat(names.length - 4)] });
    const at = good.indexOf(Buffer.from("h".repeat(names.length - 4))) - 4;
    const patched = Buffer.from(good);
    names.copy(patched, at);
    expect(readCertificateFacts(patched)?.subjectAltNames).toEqual(["IP:192.0.2.1", "IP:2001:db8::1"]);
  });
});

describe("what is no certificate", () => {
  const good = derOfCertificate({
    subject: [
      ["O", "Shop"],
      ["CN", "ann"],
    ],
    hosts: ["a.test"],
  });

  it("is not read, and never throws", () => {
    for (let length = 0; length < good.length; length += 1)
      expect(readCertificateFacts(good.subarray(0, length))).toBeUndefined();
    expect(readCertificateFacts(Buffer.concat([good, Buffer.of(0)]))).toBeUndefined();
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = Uint8Array.from(good);
        bytes[at] = (bytes[at] ?? 0) ^ change;
        readCertificateFacts(bytes);
      }),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void readCertificateFacts(bytes)));
  });
});

describe("DER", () => {
  it.each([
    ["indefinite length", "3080020101"],
    ["a length longer than it need be", "30810302010100"],
    ["a length of four bytes", "3084000000030201010000"],
    ["more than one value", "05000500"],
    ["less than it says", "3005020101"],
    ["a high tag number", "1f810000"],
  ])("%s is none", (_name, hex) => {
    expect(derOf(Buffer.from(hex, "hex"))).toBeUndefined();
  });

  it("values inside fill it exactly", () => {
    const value = derOf(Buffer.from("30050201010500", "hex"));
    expect(value && derInside(value)?.map(({ tag }) => tag)).toEqual([2, 5]);
    const torn = derOf(Buffer.from("3004020101ff", "hex"));
    expect(torn && derInside(torn)).toBeUndefined();
  });

  it.each([
    ["550403", "2.5.4.3"],
    ["2a864886f70d010901", "1.2.840.113549.1.9.1"],
    ["883703", "2.999.3"],
    ["80550403", undefined],
    ["5504ff", undefined],
    ["", undefined],
  ])("object identifier %s", (hex, text) => {
    expect(oidOf(Buffer.from(hex, "hex"))).toBe(text);
  });
});
