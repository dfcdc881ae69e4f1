/** A certificate of one run, written out by hand: X.509 needs 40 lines where nothing but a loopback server is to be named. */
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** Names that the certificate is good for. */
const HOSTS = ["a.test", "localhost"];

const ECDSA_SHA256 = "06082a8648ce3d040302";
const COMMON_NAME = "0603550403";
const ALTERNATIVE_NAMES = "0603551d11";

let made: Certificate | undefined;

/** Self-signed, P-256; the same one for all servers of a run. */
export function throwawayCertificate(): Certificate {
  made ??= make();
  return made;
}

function make(): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = sequence(hex(ECDSA_SHA256));
  const name = sequence(
    tlv(0x31, sequence(hex(COMMON_NAME), tlv(0x0c, Buffer.from("gatehouse conformance")))),
  );
  const hosts = HOSTS.map((host) => tlv(0x82, Buffer.from(host)));
  const extension = sequence(hex(ALTERNATIVE_NAMES), tlv(0x04, sequence(...hosts)));
  const serial = randomBytes(8);
  serial[0] = 0x40;
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.of(2))),
    tlv(0x02, serial),
    algorithm,
    name,
    sequence(time("200101000000Z"), time("491231235959Z")),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    tlv(0xa3, sequence(extension)),
  );
  const signature = Buffer.concat([Buffer.of(0), sign("sha256", body, privateKey)]);
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: pem(sequence(body, algorithm, tlv(0x03, signature))),
  };
}

/** Tag, length, value (X.690). */
function tlv(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(contents);
  const { length } = value;
  const head =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), value]);
}

function sequence(...contents: readonly Uint8Array[]): Buffer {
  return tlv(0x30, ...contents);
}

function time(text: string): Buffer {
  return tlv(0x17, Buffer.from(text));
}

function hex(text: string): Buffer {
  return Buffer.from(text, "hex");
}

function pem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}
