/** A public key is known as one in every form in which it is handed around; random bytes never are, however they are written. */
import { createECDH, X509Certificate, type KeyObject } from "node:crypto";
import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { throwawayCertificate } from "../conformance/certificate.js";
import { ecPair, ed25519Pair, rsaPair } from "../node/key-pair.js";
import { isPublicKey } from "./published-keys.js";

const KEYS: Readonly<Record<string, KeyObject>> = {
  rsa: rsaPair(2048).publicKey,
  "P-256": ecPair("P-256").publicKey,
  "P-521": ecPair("P-521").publicKey,
  ed25519: ed25519Pair().publicKey,
};

const textOf = (key: KeyObject): string => key.export({ type: "spki", format: "pem" }).toString();
const jwkOf = (key: KeyObject): string => JSON.stringify(key.export({ format: "jwk" }));
const known = (text: string | Uint8Array): boolean => isPublicKey(Buffer.from(text as string));

/** Made by OpenSSH. */
const ECDSA =
  "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBKAXhEzBkFVvsNm5NO0IBppymfRpWcSKxIB363LTeNx3fhnRwpUZiVq+e4X3JSjAIH2FL9zrg9aY5wJX3cLOOnw=";
const ED25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIJhhd1ziNtEH/f8hM0seIZnSDMfDKMJSLIw8iz1RNIDO";
const CERTIFICATE =
  "AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAIDa/Hz5Hd4uXR+wO2LEn7z6NvFYpZpUUvG2wihnIzK81AAAAIJhhd1ziNtEH";

/** RFC 4253 section 6.6. */
function sshRsa(key: KeyObject): string {
  const { e = "", n = "" } = key.export({ format: "jwk" });
  const parts = [Buffer.from("ssh-rsa"), Buffer.from(e, "base64url"), Buffer.from(`AA${n}`, "base64url")];
  const length = (part: Buffer): Buffer => Buffer.from([0, 0, part.length >> 8, part.length & 255]);
  return Buffer.concat(parts.flatMap((part) => [length(part), part])).toString("base64");
}

type Write = (tag: number, ...parts: Uint8Array[]) => Buffer;

function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const written = length < 0x80 ? [length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Uint8Array.of(tag, ...written), content]);
}

/** BER: an end in place of a length, as what is written in a stream has. */
function open(tag: number, ...parts: Uint8Array[]): Buffer {
  return Buffer.concat([Uint8Array.of(tag, 0x80), ...parts, Buffer.alloc(2)]);
}

/** RFC 5652 section 5.1: certificates, signed by nobody. */
function cmsOf(certificate: Uint8Array, write: Write): Buffer {
  const oid = (last: number): Buffer =>
    der(0x06, Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, last));
  const version = Buffer.from("020101", "hex");
  const none = Buffer.from("3100", "hex");
  const signed = write(0x30, version, none, write(0x30, oid(1)), write(0xa0, certificate), none);
  return write(0x30, oid(2), write(0xa0, signed));
}

const listed = (bytes: Uint8Array): string => [...bytes].join(", ");

/** As editors and shells save text, with its mark and without. */
const UTF16 = (["\uFEFF", ""] as const).flatMap((mark) => [
  (text: string) => Buffer.from(mark + text, "utf16le"),
  (text: string) => Buffer.from(mark + text, "utf16le").swap16(),
]);

describe("a public key as a secret", () => {
  it.each(Object.entries(KEYS))("is known in DER, hexadecimal and base64: %s", (_name, key) => {
    const forms = [key.export({ type: "spki", format: "der" })];
    if (key.asymmetricKeyType === "rsa") forms.push(key.export({ type: "pkcs1", format: "der" }));
    for (const der of forms) {
      const hex = der.toString("hex");
      const dressed = [
        der,
        Buffer.concat([der, Buffer.from("\n")]),
        hex,
        hex.toUpperCase(),
        `0x${hex}`,
        `${hex}\n`,
        hex.replace(/..(?!$)/gu, "$&:"),
        hex.replace(/.{64}/gu, "$&\r\n"),
        der.toString("base64"),
        der.toString("base64url"),
        `key="${der.toString("base64")}"`,
        Buffer.from(hex).toString("base64"),
        // Three deep.
        Buffer.from(Buffer.from(hex).toString("base64")).toString("base64"),
        ...UTF16.flatMap((write) => [write(hex), write(der.toString("base64"))]),
      ];
      expect(dressed.map(known)).toEqual(dressed.map(() => true));
    }
  });

  it.each(Object.entries(KEYS))("is known as PEM in any encoding of text: %s", (_name, key) => {
    const text = textOf(key);
    const dressed = [
      text,
      ...UTF16.map((write) => write(text)),
      ...UTF16.map((write) => write(text.replaceAll("\n", "\r\n"))),
      // A file's last line end may have been taken off.
      ...UTF16.map((write) => write(text).subarray(0, -1)),
      Buffer.from(text).toString("hex"),
      Buffer.from(text).toString("base64"),
      ...UTF16.map((write) => write(text).toString("base64")),
      text.replaceAll("\n", "\\n").replace(/-----[^-]+-----(?:\\n)?/gu, ""),
    ];
    expect(dressed.map(known)).toEqual(dressed.map(() => true));
  });

  it.each(Object.entries(KEYS))("is known as JWK and in a set: %s", (_name, key) => {
    const jwk = jwkOf(key);
    for (const json of [jwk, `[${jwk}]`, `{"keys":[${jwk}]}`, JSON.stringify(jwk), `// a comment\n${jwk}`]) {
      const dressed = [
        json,
        Buffer.from(json).toString("base64"),
        Buffer.from(json).toString("base64url"),
        Buffer.from(json).toString("hex"),
        ...UTF16.map((write) => write(json)),
      ];
      expect(dressed.map(known)).toEqual(dressed.map(() => true));
    }
  });

  it.each(Object.entries(KEYS))("is known behind a label, on lines and in other texts: %s", (_name, key) => {
    const der = key.export({ type: "spki", format: "der" });
    const base64 = der.toString("base64");
    const lines = base64.replace(/.{64}/gu, "$&\n");
    const json = JSON.stringify({ key: base64 });
    const jwk = jwkOf(key);
    const ssh = `ssh-ed25519 ${ED25519} me@host`;
    const dressed = [
      `PUBLIC_KEY=${base64}`,
      `PUBLIC_KEY=${lines}`,
      `v=DKIM1; k=rsa; p=${base64}`,
      `SSH_KEY=${ED25519}`,
      `whsec_${base64}`,
      `key: |\n${lines.replace(/^/gmu, "  ")}`,
      `<X509Certificate>\n${lines}\n</X509Certificate>`,
      JSON.stringify({ key: lines }),
      json.replaceAll("/", "\\/"),
      json.replaceAll("+", "\\u002b").replaceAll("=", "\\u003D"),
      `key: ${der.toString("hex").replace(/..(?!$)/gu, "$&:")}`,
      `KEY=${der.toString("hex")}`,
      ...[textOf(key), base64, jwk, ssh].map(encodeURIComponent),
      encodeURIComponent(textOf(key)).replaceAll("%20", "+"),
      jwk.replaceAll('"', "'"),
      jwk.replace(/"(\w+)":/gu, "$1: "),
      jwk.replaceAll('"', "\\u0022"),
    ];
    expect(dressed.map(known)).toEqual(dressed.map(() => true));
  });

  it.each(Object.entries(KEYS))("is known beside what is no UTF-8: %s", (_name, key) => {
    const base64 = key.export({ type: "spki", format: "der" }).toString("base64");
    const name = (text: string): Buffer => Buffer.from(`# M\u00FCller\n${text}\xFF`, "latin1");
    const texts = [textOf(key), base64, jwkOf(key), `ssh-ed25519 ${ED25519} Jos\u00E9`];
    const dressed = texts.flatMap((text) => [
      name(text),
      name(Buffer.from(text).toString("hex")),
      ...UTF16.map((write) => write(`# \u041A\u043B\u044E\u0447\n${text}`)),
    ]);
    expect(dressed.map(known)).toEqual(dressed.map(() => true));
  });

  it("is known as OpenSSL shows it", () => {
    const dressed = [
      `Modulus=${"C3".repeat(256)}\n`,
      "Public-Key: (256 bit)\npub:\n    04:b1:2a\nASN1 OID: prime256v1\n",
    ];
    expect(dressed.map(known)).toEqual(dressed.map(() => true));
  });

  it("is known as OpenSSH and SSH2 write it", () => {
    const rsa = sshRsa(KEYS["rsa"] as KeyObject);
    const dressed = [
      `ssh-rsa ${rsa}`,
      `ssh-rsa ${rsa} me@host\n`,
      `ecdsa-sha2-nistp256 ${ECDSA} me@host`,
      `ssh-ed25519 ${ED25519}`,
      `ssh-ed25519-cert-v01@openssh.com ${CERTIFICATE} me@host`,
      `# of this machine\nno-pty,from="10.0.0.1" ssh-ed25519 ${ED25519}`,
      `host.example,10.0.0.1 ssh-ed25519 ${ED25519}`,
      ED25519,
      Buffer.from(ED25519, "base64"),
      Buffer.from(ED25519, "base64").toString("hex"),
      Buffer.from(`ssh-ed25519 ${ED25519} me@host`).toString("base64"),
      `---- BEGIN SSH2 PUBLIC KEY ----\nComment: "me"\n${rsa.replace(/.{70}/gu, "$&\n")}\n---- END SSH2 PUBLIC KEY ----`,
      `PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPublic-Lines: 2\n${ED25519}`,
      ...UTF16.map((write) => write(`ssh-rsa ${rsa} me@host\r\n`)),
    ];
    expect(dressed.map(known)).toEqual(dressed.map(() => true));
  });

  it("is known in its certificate, and as .NET writes it", () => {
    const { raw } = new X509Certificate(throwawayCertificate().cert);
    const xml = "<RSAKeyValue><Modulus>AQAB</Modulus><Exponent>AQAB</Exponent></RSAKeyValue>";
    const dressed = [raw, raw.toString("hex"), raw.toString("base64"), xml];
    expect(dressed.map(known)).toEqual(dressed.map(() => true));
  });

  it("is known in PKCS #7, whose lengths may be left open", () => {
    const { raw } = new X509Certificate(throwawayCertificate().cert);
    const forms = [
      cmsOf(raw, der),
      cmsOf(raw, open),
      // PKCS #12 holds the same.
      der(0x30, Buffer.from("020103", "hex"), cmsOf(raw, der)),
    ];
    const dressed = forms.flatMap((form) => [
      form,
      form.toString("hex"),
      form.toString("base64"),
      form.toString("base64").replace(/.{64}/gu, "$&\n"),
      `CHAIN=${form.toString("base64")}`,
      form.toString("hex").replace(/..(?!$)/gu, "$&:"),
      listed(form),
      Buffer.concat([Buffer.alloc(1), form]),
    ]);
    expect(dressed.map(known)).toEqual(dressed.map(() => true));
  });

  it.each(Object.entries(KEYS))("is known as a list of bytes, as programs print one: %s", (_name, key) => {
    const spki = key.export({ type: "spki", format: "der" });
    const texts = [Buffer.from(textOf(key)), Buffer.from(jwkOf(key)), Buffer.from(ED25519, "base64"), spki];
    const dressed = texts.flatMap((bytes) => {
      const numbers = [...bytes];
      const hex = numbers.map((byte) => `0x${byte.toString(16)}`);
      return [
        listed(bytes),
        `[${listed(bytes)}]`,
        numbers.join(","),
        numbers.join(" "),
        numbers.join("\n"),
        JSON.stringify(bytes),
        JSON.stringify(new Uint8Array(bytes)),
        JSON.stringify(new Uint8Array(bytes), undefined, 2),
        JSON.stringify(JSON.stringify(new Uint8Array(bytes), undefined, 2)),
        JSON.stringify(numbers.join("\n")),
        // Java has no bytes without a sign.
        `[${new Int8Array(bytes).join(", ")}]`,
        `static const uint8_t key[${bytes.length}] = {\n  ${hex.join(", ").replace(/(?:\w+, ){12}/gu, "$&\n  ")}\n};`,
        Buffer.from(listed(bytes)).toString("base64"),
        ...UTF16.map((write) => write(listed(bytes))),
      ];
    });
    expect(dressed.map(known)).toEqual(dressed.map(() => true));
  });

  it("is known as a list of bytes with their places, of which there are thousands", () => {
    const algorithm = der(0x30, Buffer.from("06032b6570", "hex"));
    const spki = der(0x30, algorithm, der(0x03, Buffer.alloc(3000, 0x5a)));
    const places = Object.fromEntries(spki.entries());
    const dressed = [spki, JSON.stringify(places), JSON.stringify(places, undefined, 1)];
    expect(dressed.map(known)).toEqual([true, true, true]);
  });

  it.each(Object.entries(KEYS))("is known behind NUL and white space: %s", (_name, key) => {
    const spki = key.export({ type: "spki", format: "der" });
    const ssh = Buffer.from(ED25519, "base64");
    const dressed = ["\0", "\0\0\0", "\n", " \0\r\n"].flatMap((before) =>
      [spki, ssh].flatMap((bytes) => {
        const padded = Buffer.concat([Buffer.from(before), bytes]);
        return [padded, padded.toString("hex"), padded.toString("base64"), listed(padded)];
      }),
    );
    expect(dressed.map(known)).toEqual(dressed.map(() => true));
  });

  it.each(["prime256v1", "secp384r1", "secp521r1"])("is known as a point of %s", (curve) => {
    const point = createECDH(curve).generateKeys();
    const dressed = [point, point.toString("hex"), point.toString("base64url")];
    expect(dressed.map(known)).toEqual(dressed.map(() => true));
    // One that is not on the curve is as good as random.
    point[point.length - 1] = (point.at(-1) ?? 0) ^ 1;
    expect(known(point)).toBe(false);
  });

  it("is not seen where there is none", () => {
    const texts = [
      "a-secret-of-a-sender-of-webhooks",
      "correct horse battery staple, ssh-rsa and PUBLIC KEY are words here",
      "kty RSA kty ----- EC and the modulus of a Public-Key are words too",
      "A".repeat(64),
      "0".repeat(64),
      `AAAA${"b".repeat(60)}`,
      JSON.stringify({ kty: "oct", k: "c2VjcmV0" }).repeat(2),
      // Two numbers as in a signature, and four parts, of which the last are as in a certificate.
      Buffer.from(`302a0220${"41".repeat(32)}0206${"41".repeat(6)}`, "hex"),
      Buffer.from(`302e30000500300506032b6570032100${"41".repeat(32)}`, "hex"),
      Buffer.alloc(64, 0x30),
      Buffer.alloc(64, 0x04),
      Buffer.alloc(133, 0x30).toString("base64"),
      // The object identifier of PKCS #7 alone, and where nothing of PKCS #7 is around it.
      Buffer.concat([Buffer.from("06092a864886f70d010702", "hex"), Buffer.alloc(40, "x")]),
      listed(Buffer.from("a-secret-of-a-sender-of-webhooks-and-more-of-it")),
      `48, 130, 1, 34 ${"9".repeat(64)}`,
    ];
    expect(texts.map(known)).toEqual(texts.map(() => false));
  });
});

const RUNS = Number(process.env["GATEHOUSE_SECRET_RUNS"] ?? 400);
/** Bytes as they begin in keys: the nearest that random ones come to them. */
const bytes = fc.oneof(
  fc.uint8Array({ minLength: 32, maxLength: 128 }),
  fc
    .tuple(
      fc.constantFrom(
        [0, 0x30],
        [0x20, 4],
        [0x30, 0x80, 6, 9],
        [0x30, 0x59],
        [0x30, 0x81],
        [0x30, 0x30],
        [4],
        [0, 0, 0],
        [0xff, 0xfe],
        [0xfe, 0xff],
      ),
      fc.uint8Array({ minLength: 32, maxLength: 128 }),
    )
    .map(([start, rest]) => Uint8Array.from([...start, ...rest].slice(0, 128))),
);

describe("a random secret", () => {
  test.prop([bytes], { numRuns: RUNS })("is_never_taken_for_a_key", (secret) => {
    const buffer = Buffer.from(secret);
    for (const written of [
      buffer,
      buffer.toString("hex"),
      buffer.toString("base64"),
      buffer.toString("base64url"),
      buffer.toString("latin1"),
      `SECRET=30 ${buffer.toString("base64")}`,
      encodeURIComponent(buffer.toString("base64")),
      listed(buffer),
      JSON.stringify(buffer),
      `whsec_${buffer.toString("base64")}`,
      Buffer.from(buffer.toString("hex"), "utf16le"),
    ])
      expect(known(written)).toBe(false);
  });
});

it("texts within texts that all begin as keys do are read a bounded number of times", () => {
  let nested: Uint8Array = Buffer.alloc(6000, "any text, ");
  for (let level = 0; level < 3; level++)
    nested = Buffer.from(`${"!MAAA".repeat(8)}!${Buffer.from(nested).toString("base64")}`);
  let readings = 0;
  const found = isPublicKey(nested, () => {
    readings += 1;
    return false;
  });
  expect(found).toBe(false);
  expect(readings).toBeGreaterThan(20);
  expect(readings).toBeLessThan(300);
});
