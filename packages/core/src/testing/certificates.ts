/** Client certificates of people: what a server would know of them. None is made, and none verified. */
import { createHash } from "node:crypto";
import type { ClientCertificate } from "../index.js";
import type { CertificateMatch } from "../model/policy.js";
import type { CredentialParts, Moment } from "./credentials.js";

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

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
