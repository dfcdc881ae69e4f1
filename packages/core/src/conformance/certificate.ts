/** A certificate of one run, written out by hand: X.509 needs 40 lines where nothing but a loopback server is to be named. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  randomBytes,
  sign,
  X509Certificate,
  type KeyObject,
} from "node:crypto";
import { ecPair } from "../node/key-pair.js";

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** Names that the throwaway certificate is good for. */
const HOSTS = ["a.test", "localhost"];

const ECDSA_SHA256 = "06082a8648ce3d040302";
const RSA_SHA256 = "06092a864886f70d01010b0500";
const BASIC_CONSTRAINTS = "0603551d13";
const ALTERNATIVE_NAMES = "0603551d11";
const ATTRIBUTES = { CN: "0603550403", O: "060355040a", OU: "060355040b", C: "0603550406" } as const;

export type Attribute = readonly [type: keyof typeof ATTRIBUTES, value: string];

export interface CertificateOptions {
  /** Distinguished name, least specific part first, as it is encoded: `[["O", "Shop"], ["CN", "ann"]]`. */
  readonly subject: readonly Attribute[];
  readonly hosts?: readonly string[];
  readonly uris?: readonly string[];
  readonly emails?: readonly string[];
  /** True: it may sign others. Default false. */
  readonly ca?: boolean;
  /** Default: it signs itself. */
  readonly issuer?: Issued;
  /** Private key of the holder, or its PEM. Default: a new one on P-256. */
  readonly key?: KeyObject | string;
  /** Seconds are kept, years 1950 to 2049. Default: 2020 to the end of 2049. */
  readonly from?: Date;
  readonly to?: Date;
}

export interface Issued extends Certificate {
  readonly subject: readonly Attribute[];
}

let made: Certificate | undefined;

/** Self-signed, P-256; the same one for all servers of a run. */
export function throwawayCertificate(): Certificate {
  made ??= issueCertificate({ subject: [["CN", "gatehouse conformance"]], hosts: HOSTS });
  return made;
}

/** What a TLS server needs to ask for client certificates, and to tell those of its authority from others. */
export interface ClientCertificates {
  readonly ca: string;
  readonly requestCert: true;
  readonly rejectUnauthorized: false;
}

export interface ClientIdentity extends Certificate {
  readonly der: Uint8Array;
}

const identities = new Map<string, ClientIdentity>();
let authorities: { readonly trusted: Issued; readonly other: Issued } | undefined;

function authority(): NonNullable<typeof authorities> {
  const make = (name: string): Issued => issueCertificate({ subject: [["CN", name]], ca: true });
  return (authorities ??= { trusted: make("clients"), other: make("other clients") });
}

/** Of a whole run; that of `forged` bears the name of ann, and another authority's signature. */
export function clientCertificate(name: string): ClientIdentity {
  const known = identities.get(name);
  if (known !== undefined) return known;
  const forged = name === "forged";
  const who = forged ? "ann" : name;
  const { trusted, other } = authority();
  const { key, cert } = issueCertificate({
    subject: [
      ["O", "Shop"],
      ["CN", who],
    ],
    uris: [`spiffe://shop/${who}`],
    hosts: [`${who}.clients.test`],
    issuer: forged ? other : trusted,
  });
  const identity = { key, cert, der: new X509Certificate(cert).raw };
  identities.set(name, identity);
  return identity;
}

/** As a token names it that is bound to the certificate (RFC 8705 section 3.1). */
export function certificateThumbprint(name: string): string {
  return createHash("sha256").update(clientCertificate(name).der).digest("base64url");
}

export function clientCertificates(): ClientCertificates {
  return { ca: authority().trusted.cert, requestCert: true, rejectUnauthorized: false };
}

/** A certificate and its key, in PEM; whoever signs has a key on a curve, or an RSA key. For tests and examples: nothing here is meant to outlive a run. */
export function issueCertificate(options: CertificateOptions): Issued {
  const { subject, issuer, from = new Date("2020-01-01"), to = new Date("2049-12-31") } = options;
  const privateKey = keyOf(options.key);
  const signer = issuer === undefined ? privateKey : createPrivateKey(issuer.key);
  const algorithm = sequence(hex(signer.asymmetricKeyType === "rsa" ? RSA_SHA256 : ECDSA_SHA256));
  const serial = randomBytes(8);
  serial[0] = 0x40;
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.of(2))),
    tlv(0x02, serial),
    algorithm,
    nameOf(issuer?.subject ?? subject),
    sequence(time(from), time(to)),
    nameOf(subject),
    createPublicKey(privateKey).export({ type: "spki", format: "der" }),
    ...extensionsOf(options),
  );
  const signed = sign("sha256", body, signer);
  return {
    subject,
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: pem(sequence(body, algorithm, tlv(0x03, Buffer.of(0), signed))),
  };
}

function keyOf(key: KeyObject | string | undefined): KeyObject {
  if (key === undefined) return ecPair("P-256").privateKey;
  return typeof key === "string" ? createPrivateKey(key) : key;
}

function nameOf(subject: readonly Attribute[]): Buffer {
  return sequence(
    ...subject.map(([type, value]) =>
      tlv(0x31, sequence(hex(ATTRIBUTES[type]), tlv(0x0c, Buffer.from(value)))),
    ),
  );
}

function extensionsOf({ hosts = [], uris = [], emails = [], ca = false }: CertificateOptions): Buffer[] {
  const names = [
    ...emails.map((email) => tlv(0x81, Buffer.from(email))),
    ...hosts.map((host) => tlv(0x82, Buffer.from(host))),
    ...uris.map((uri) => tlv(0x86, Buffer.from(uri))),
  ];
  const extensions = [
    ...(names.length === 0 ? [] : [sequence(hex(ALTERNATIVE_NAMES), tlv(0x04, sequence(...names)))]),
    ...(ca
      ? [sequence(hex(BASIC_CONSTRAINTS), CRITICAL, tlv(0x04, sequence(tlv(0x01, Buffer.of(0xff)))))]
      : []),
  ];
  return extensions.length === 0 ? [] : [tlv(0xa3, sequence(...extensions))];
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

const CRITICAL = tlv(0x01, Buffer.of(0xff));

/** UTCTime: two digits of the year are enough until 2049. */
function time(instant: Date): Buffer {
  const digits = instant.toISOString().slice(2, 19).replaceAll(/\D/g, "");
  return tlv(0x17, Buffer.from(`${digits}Z`));
}

function hex(text: string): Buffer {
  return Buffer.from(text, "hex");
}

function pem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}
