// An authority and a certificate for a run on one machine. A real API has them from elsewhere, and renews them where they lie.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { issueCertificate } from "@gatehouse/core/conformance";

/** Writes `ca.pem`, `cert.pem` and `key.pem`; `renew` writes the last two anew. */
export function prepareCertificate(folder) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const put = (name, text) => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const authority = issueCertificate({ subject: [["CN", "orders example"]], ca: true });
  const renew = () => {
    const { key, cert } = issueCertificate({
      subject: [["CN", "localhost"]],
      hosts: ["localhost"],
      issuer: authority,
    });
    return { key: put("key.pem", key), cert: put("cert.pem", cert) };
  };
  return { ca: put("ca.pem", authority.cert), ...renew(), renew };
}
