/** Client certificates of people: what a server would know of them. None is made, and none verified. */
import { createHash } from "node:crypto";
import type { ClientCertificate } from "../index.js";
import { pointerTo } from "../lib/pointer.js";
import type { CertificateMatch, MtlsSettings } from "../model/policy.js";
import type { CredentialParts, IssuedCredential, Moment } from "./credentials.js";
import { refuseMembers } from "./credentials.js";

/** Who somebody is by their certificate. A connection has one, so all credentials of a person mean the same. */
export type Holder = Pick<ClientCertificate, "subject" | "subjectAltNames" | "fingerprint256">;

/** @param key text that nobody else has @param match the entry that it should fit, where there is one */
export function holderOf(key: string, match: Omit<CertificateMatch, "id"> = {}): Holder {
  const { subject = `CN=${key}`, san, fingerprint } = match;
  const subjectAltNames = san === undefined ? [] : [san];
  return { subject, subjectAltNames, fingerprint256: fingerprint ?? sha256(key).toString("hex") };
}

/** `cnf` of a token that is bound to the certificate (RFC 8705 section 3.1). */
export function certificateBinding({ fingerprint256 }: Holder): { readonly "x5t#S256": string } {
  return { "x5t#S256": Buffer.from(fingerprint256, "hex").toString("base64url") };
}

const MONTH_MS = 30 * 86_400_000;

/** Undefined `expires`: it is good whenever it is shown. */
export function shownBy(
  holder: Holder,
  expires: CredentialParts["expires"],
): (moment: Moment) => ClientCertificate {
  return ({ now, start }) => {
    // The last millisecond still counts: it has ended at the instant that is asked for.
    const validTo = expires === undefined ? now + MONTH_MS : expires(start) - 1;
    return { ...holder, validFrom: Math.min(now, validTo) - MONTH_MS, validTo };
  };
}

export function matchOf({ match }: MtlsSettings, id: string): CertificateMatch | undefined {
  return match.find((one) => one.id === id);
}

export function planCertificate(parts: CredentialParts, settings: MtlsSettings): IssuedCredential {
  const { authenticator, credential, name, pointer, report, holder, expires } = parts;
  refuseMembers(
    parts,
    ["claims", "header", "routes", "roles", "scopes", "attributes"],
    "what a holder has is what the policy says of the certificate: write the `id` of its entry",
  );
  const id = credential.id ?? name;
  if (matchOf(settings, id) === undefined) {
    const message = `\`match\` of \`${authenticator.name}\` has no entry of \`${id}\``;
    report.error("unknown-value", pointerTo(pointer, "id"), message, "write the `id` of an entry");
  }
  return { authenticator, text: () => "", certificate: shownBy(holder, expires) };
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
