/** `senderConstrained`: what a token is bound to (`cnf`, RFC 7800), and how the caller shows that it is the one. */
import { decodeBase64Url } from "../../lib/base64url.js";
import { toHex } from "../../lib/bytes.js";
import type { RequestState } from "../../model/state.js";
import { bad, type Bad } from "./judgement.js";
import type { Prove } from "./dpop.js";
import { isCurrent } from "./mtls.js";
import { isObject } from "./strict-json.js";

const UNBOUND = bad("the token is not bound to a key or certificate (`cnf`), as it must be here");
const OTHER_BINDING = bad("the token is bound (`cnf`) in another way than is asked for here");
const NO_CERTIFICATE = bad(
  "the token is bound to a certificate, and no verified one came with the connection",
);
const OTHER_CERTIFICATE = bad("the token is bound to another certificate");
const OUT_OF_TIME = bad("the client certificate is not valid now");

/** Name in `cnf` of a thumbprint. */
export type Confirmation = "jkt" | "x5t#S256";

export interface Sender {
  readonly confirmation: Confirmation;
  readonly prove: Prove;
  /** What nobody need ask about a token to know: that nothing came with it that could prove anything. */
  readonly missing: (state: RequestState) => Bad | undefined;
}

/** The thumbprint that a token names, lower-case hex. A second way in which it is bound would be one that nobody checks. */
export function bindingOf(cnf: unknown, confirmation: Confirmation): string | Bad {
  if (cnf === undefined || cnf === null) return UNBOUND;
  const thumbprint = isObject(cnf) && Object.keys(cnf).length === 1 ? cnf[confirmation] : undefined;
  const bytes = typeof thumbprint === "string" ? decodeBase64Url(thumbprint) : undefined;
  return bytes?.length === 32 ? toHex(bytes) : OTHER_BINDING;
}

/** RFC 8705 section 3: the certificate is the socket's, or a trusted proxy's word. */
const proveCertificate: Prove = (accepted, binding, _credential, state) => {
  const certificate = state.request.tls?.clientCertificate;
  if (certificate === undefined) return NO_CERTIFICATE;
  if (certificate.fingerprint256 !== binding) return OTHER_CERTIFICATE;
  return isCurrent(certificate, state.now) ? accepted : OUT_OF_TIME;
};

export const CERTIFICATE_SENDER: Sender = Object.freeze({
  confirmation: "x5t#S256",
  prove: proveCertificate,
  missing: ({ request }: RequestState) =>
    request.tls?.clientCertificate === undefined ? NO_CERTIFICATE : undefined,
});
