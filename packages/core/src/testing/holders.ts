/** Holders of certificates whom a policy lists. */
import { pointerTo } from "../lib/pointer.js";
import type { CertificateMatch, MtlsSettings } from "../model/policy.js";
import { shownBy } from "./certificates.js";
import { refuseMembers, type CredentialParts, type IssuedCredential } from "./credentials.js";

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
