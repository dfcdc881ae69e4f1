/** Cross-checks of `mtls`: entries that fit nobody, anybody, or the same certificate twice. */
import type { Report } from "../../errors/diagnostics.js";
import { formatAddress, parseAddress } from "../../lib/ip.js";
import { pointerTo } from "../../lib/pointer.js";
import type { CertificateMatch, MtlsSettings } from "../../model/policy.js";
import type { ResolvedAuthenticator, ResolvedPolicy } from "../../model/resolved.js";
import { recordProblems } from "./api-key-records.js";
import { checkRoles } from "./check-jwt.js";

export function checkMtls(
  { pointer }: ResolvedAuthenticator,
  { match }: MtlsSettings,
  policy: ResolvedPolicy,
  report: Report,
): void {
  const seen = new Set<string>();
  for (const [index, entry] of match.entries()) {
    const place = pointerTo(pointer, "match", index);
    checkEntry(entry, place, report);
    checkRoles(entry.roles ?? [], pointerTo(place, "roles"), policy, report);
    const { san, subject, fingerprint } = entry;
    const key = JSON.stringify([san, subject, fingerprint]);
    if (seen.has(key))
      report.error(
        "invalid-certificate-match",
        place,
        "the entry asks for the same as another",
        "a certificate that two entries fit is refused",
      );
    seen.add(key);
  }
}

function checkEntry(
  { san, subject, fingerprint, id, attributes }: CertificateMatch,
  pointer: string,
  report: Report,
): void {
  if (san === undefined && subject === undefined && fingerprint === undefined) {
    const help = "write `san`, `subject` or `fingerprint`";
    report.error("invalid-certificate-match", pointer, "the entry would fit every certificate", help);
  }
  for (const { member, problem, help } of recordProblems({ id, attributes }, false))
    report.error("invalid-certificate-match", pointerTo(pointer, member), problem, help);
  if (san?.startsWith("IP:") !== true) return;
  const address = parseAddress(san.slice(3));
  const canonical = address === undefined ? undefined : `IP:${formatAddress(address)}`;
  if (canonical === san) return;
  report.error(
    "invalid-certificate-match",
    pointerTo(pointer, "san"),
    `\`${san}\` is no address as certificates are read`,
    canonical === undefined ? "write it as in `IP:192.0.2.1` or `IP:2001:db8::1`" : `write \`${canonical}\``,
  );
}
