/** Key and certificates from where they lie, looked at before a server gets them. No message holds anything of them. */
import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { Secret, SecretError } from "@gatehouse/core";
import type { Reference, SecureSettings } from "./options.js";

export interface Material {
  /** PEM; decrypted, so that no passphrase has to be kept. */
  readonly key: string;
  readonly cert: string;
  readonly ca: readonly string[] | undefined;
}

const MIN_RSA_BITS = 2048;
/** What clients take (RFC 8446 section 9.1 and 9.2, and what the ecosystem added). */
const CURVES: ReadonlySet<string> = new Set(["prime256v1", "secp384r1", "secp521r1"]);
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** @throws Error (rejects) naming the option and its reference when something is missing, unreadable, weak, out of its time, or does not fit */
export async function loadMaterial(settings: SecureSettings): Promise<Material> {
  const texts = await textsOf(settings);
  const named = (name: Reference): string => `\`${name}\` (\`${settings.references.get(name) ?? ""}\`)`;
  const key = keyOf(texts, named);
  const certificate = certificateOf(texts.get("cert") ?? "", named("cert"));
  if (!certificate.checkPrivateKey(key)) {
    throw new Error(`${named("key")} is not the key of the certificate in ${named("cert")}`);
  }
  return {
    key: key.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: texts.get("cert") ?? "",
    ca: authoritiesOf(texts.get("ca"), named("ca")),
  };
}

type Texts = ReadonlyMap<Reference, string>;
type Named = (name: Reference) => string;

async function textsOf({ references, secrets }: SecureSettings): Promise<Texts> {
  const texts = new Map<Reference, string>();
  for (const [name, reference] of references) {
    let found: Secret | undefined;
    try {
      const value = await secrets.get(reference);
      found = value === undefined ? undefined : Secret.of(value);
    } catch (error) {
      throw unreadable(name, reference, error);
    }
    if (found === undefined || found.empty) {
      throw new Error(`\`${name}\` (\`${reference}\`) leads to nothing`);
    }
    texts.set(name, Buffer.from(found.reveal()).toString("utf8"));
  }
  return texts;
}

/** Any message of the source's but the one that is made to be told may quote the secret, or its place on disk. */
function unreadable(name: Reference, reference: string, error: unknown): Error {
  const why = error instanceof SecretError ? `: ${error.message}` : "";
  return new Error(`\`${name}\` (\`${reference}\`) cannot be read${why}`);
}

/** OpenSSL's own messages are dropped: they may describe the material. */
function keyOf(texts: Texts, named: Named): KeyObject {
  const key = texts.get("key") ?? "";
  const passphrase = texts.get("passphrase");
  if (passphrase === undefined && key.includes("ENCRYPTED")) {
    throw new Error(`${named("key")} is encrypted, and there is no \`passphrase\``);
  }
  try {
    return createPrivateKey({ key, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch {
    const wrong = passphrase === undefined ? "" : `, or ${named("passphrase")} does not open it`;
    throw new Error(`${named("key")} holds no private key in PEM that can be read${wrong}`);
  }
}

function certificateOf(text: string, named: string): X509Certificate {
  const certificate = parsed(text.match(CERTIFICATE)?.[0]);
  if (certificate === undefined) throw new Error(`${named} holds no certificate in PEM that can be read`);
  const now = Date.now();
  if (Date.parse(certificate.validTo) <= now) throw new Error(`the certificate in ${named} has expired`);
  if (Date.parse(certificate.validFrom) > now)
    throw new Error(`the certificate in ${named} is not valid yet`);
  const weakness = weaknessOf(certificate.publicKey);
  if (weakness !== undefined) throw new Error(`the certificate in ${named} has ${weakness}`);
  return certificate;
}

function weaknessOf({ asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): string | undefined {
  const { modulusLength = 0, namedCurve = "" } = asymmetricKeyDetails;
  switch (asymmetricKeyType) {
    case "rsa":
    case "rsa-pss":
      return modulusLength < MIN_RSA_BITS ? `an RSA key of less than ${MIN_RSA_BITS} bits` : undefined;
    case "ec":
      return CURVES.has(namedCurve) ? undefined : "a key on a curve that clients do not take";
    case "ed25519":
    case "ed448":
      return undefined;
    default:
      return "a key of a kind that clients do not take";
  }
}

/** A server that leaves out what it cannot read would vouch for fewer than were written down. */
function authoritiesOf(text: string | undefined, named: string): readonly string[] | undefined {
  if (text === undefined) return undefined;
  const found = text.match(CERTIFICATE) ?? [];
  if (found.length === 0 || found.some((one) => parsed(one) === undefined)) {
    throw new Error(
      `${named} holds no certificate in PEM that can be read, or one beside others that cannot`,
    );
  }
  return found;
}

function parsed(pem: string | undefined): X509Certificate | undefined {
  try {
    return pem === undefined ? undefined : new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
