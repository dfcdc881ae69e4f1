/**
 * Client certificates: one that was handed over, or that a proxy may vouch for, and one that nobody vouches for. What the engine is told
 * of a connection is what a server would know: a certificate that it cannot verify is none.
 */
import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { readCertificate, type ClientCertificate } from "@gatehouse/core";
import type { ResolvedAuthenticator, ResolvedPolicy } from "@gatehouse/core/analysis";
import type { TestRequest } from "@gatehouse/core/testing";
import { UsageError } from "../../cli/io.js";
import type { BarringAnswer } from "../barred.js";
import { withHeaders } from "../question.js";

/** With which certificate the connection is made. */
export type Shows = "own" | "stranger" | "none";

export interface ShownCertificate {
  /** In PEM, with what leads to its authority. */
  readonly cert: string;
  readonly key: string;
  readonly der: Uint8Array;
  readonly facts: ClientCertificate;
}

export interface CertificateParts {
  readonly own: ShownCertificate | undefined;
  readonly stranger: ShownCertificate | undefined;
  /** The field in which this machine is believed to pass certificates on; undefined: the socket's counts. */
  readonly field: string | undefined;
  /** What a connection shows where nothing else is asked: `own` where none is taken without one. */
  readonly always: Shows;
  /** How the server answers those whom it takes no connection of; undefined: it does not answer them. */
  readonly barring?: BarringAnswer | undefined;
}

export class Certificates {
  constructor(readonly parts: CertificateParts) {}

  get own(): ShownCertificate | undefined {
    return this.parts.own;
  }

  /** The request as the engine is asked about it. */
  told(request: TestRequest, shows: Shows): TestRequest {
    const { own, stranger, field } = this.parts;
    const shown = shows === "own" ? own : shows === "stranger" ? stranger : undefined;
    if (shown === undefined) return request;
    if (field !== undefined) return withHeaders(request, { [field]: byteSequence(shown) });
    // Whom no authority of the server's vouches for, nobody knows.
    if (shows === "stranger" || request.https === false) return request;
    return { ...request, tls: { ...request.tls, clientCertificate: told(shown.facts) } };
  }

  /** What the connection is made with. */
  onSocket(shows: Shows): Shows {
    return this.parts.field === undefined ? shows : this.parts.always;
  }
}

/** As RFC 9440 passes it on. */
export function byteSequence({ der }: Pick<ShownCertificate, "der">): string {
  return `:${Buffer.from(der).toString("base64")}:`;
}

/** `cnf` of a token that is bound to it (RFC 8705 section 3.1). */
export function bindingTo({ der }: ShownCertificate): Readonly<Record<"x5t#S256", string>> {
  return { "x5t#S256": createHash("sha256").update(der).digest("base64url") };
}

function told({
  subject,
  subjectAltNames,
  fingerprint256,
  validFrom,
  validTo,
}: ClientCertificate): NonNullable<NonNullable<TestRequest["tls"]>["clientCertificate"]> {
  return {
    subject,
    subjectAltNames: [...subjectAltNames],
    fingerprint256,
    validFrom: new Date(validFrom).toISOString(),
    validTo: new Date(validTo).toISOString(),
  };
}

/** @throws UsageError without a word about the key itself */
export function readOwn({ cert, key }: { readonly cert: string; readonly key: string }): ShownCertificate {
  let der: Uint8Array;
  let fits: boolean;
  try {
    const first = new X509Certificate(cert);
    der = first.raw;
    fits = first.checkPrivateKey(createPrivateKey(key));
  } catch {
    // OpenSSL's own message may describe the key.
    throw new UsageError("`--cert` and `--cert-key` hold no certificate and private key in PEM");
  }
  const facts = readCertificate(der);
  if (!fits || facts === undefined) throw new UsageError("the key of `--cert-key` is not the certificate's");
  return { cert, key, der, facts };
}

/** Whom the policy would take for somebody, could anybody vouch for it. Made only where a policy asks for certificates. */
export async function imitation(
  policy: ResolvedPolicy,
  own: ShownCertificate | undefined,
): Promise<ShownCertificate> {
  // What only some policies ask for is loaded for them alone.
  const { issueCertificate } = await import("@gatehouse/core/conformance");
  const [entry] = entriesOf(policy);
  const { subject, subjectAltNames } = own?.facts ?? {
    subject: entry?.subject ?? "CN=probe",
    subjectAltNames: entry?.san === undefined ? [] : [entry.san],
  };
  const named = (kind: string): readonly string[] =>
    subjectAltNames.flatMap((name) => (name.startsWith(`${kind}:`) ? [name.slice(kind.length + 1)] : []));
  const made = issueCertificate({
    subject: attributesIn(subject),
    hosts: named("DNS"),
    uris: named("URI"),
    emails: named("email"),
  });
  return readOwn(made);
}

/** Of every authenticator that knows its callers by certificates; those first that names alone fit. */
function entriesOf({
  authenticators,
}: ResolvedPolicy): readonly { readonly subject?: string; readonly san?: string }[] {
  const all = [...authenticators.values()].flatMap(({ settings }) =>
    settings.type === "mtls" ? settings.match : [],
  );
  return all.filter(({ fingerprint }) => fingerprint === undefined);
}

type Attributes = [type: "CN" | "O" | "OU" | "C", value: string][];

/** From what RFC 4514 writes, most specific part first, to what a certificate holds, as far as it is plain. */
function attributesIn(subject: string): Attributes {
  const parts = subject.split(",").map((part) => /^(CN|O|OU|C)=([^\\+"#;<>=]+)$/u.exec(part));
  const attributes: Attributes = [];
  for (const part of parts.reverse()) {
    const [, type = "", value = ""] = part ?? [];
    if (type === "CN" || type === "O" || type === "OU" || type === "C") attributes.push([type, value]);
    else return [["CN", "probe"]];
  }
  return attributes;
}

/** Whether callers show a client's certificate, or have tokens that are bound to one. */
export function asksForCertificate({ settings }: ResolvedAuthenticator): boolean {
  return (
    settings.type === "mtls" || ("senderConstrained" in settings && settings.senderConstrained === "mtls")
  );
}
