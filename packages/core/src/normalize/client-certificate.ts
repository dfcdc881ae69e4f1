/**
 * The caller's certificate: of the socket, or in the words of a trusted proxy (RFC 9440). Behind such a proxy the socket's own is
 * the proxy's, and must never pass for the caller's.
 */
import { decodeBase64Url } from "../lib/base64url.js";
import { readCertificateFacts } from "../lib/certificate.js";
import type { Refusal } from "../model/outcome.js";
import type { ClientCertificate, RawRequest, TlsFacts } from "../model/request.js";
import type { FieldList } from "./field-list.js";
import { refusal } from "./refusals.js";

const UNREADABLE = refusal("malformed-request", "a trusted proxy passed on something that is no certificate");

/** A Byte Sequence of RFC 9651 section 3.3.5, as the whole field. */
const BYTE_SEQUENCE = /^:([A-Za-z0-9+/]*)(={0,2}):$/u;

/** Connections outlive requests, and a proxy sends the same text with each of them. Some 3 kB an entry. */
const MAX_REMEMBERED = 1024;

type Sha256Hex = (data: Uint8Array) => string;

/** Certificates that proxies pass on; undefined for a field that holds none. */
export function certificateHeaderReader(
  sha256Hex: Sha256Hex,
): (field: string) => ClientCertificate | undefined {
  const known = new Map<string, ClientCertificate>();
  return (field) => {
    const found = known.get(field);
    if (found !== undefined) return found;
    const certificate = certificateIn(field, sha256Hex);
    if (certificate === undefined) return undefined;
    if (known.size >= MAX_REMEMBERED) known.clear();
    known.set(field, certificate);
    return certificate;
  };
}

function certificateIn(field: string, sha256Hex: Sha256Hex): ClientCertificate | undefined {
  const [, body, padding = ""] = BYTE_SEQUENCE.exec(field) ?? [];
  if (body === undefined || (padding !== "" && (body.length + padding.length) % 4 !== 0)) return undefined;
  const der = decodeBase64Url(body.replaceAll("+", "-").replaceAll("/", "_"));
  return der === undefined ? undefined : readClientCertificate(der, sha256Hex);
}

/** Undefined for what is no certificate. */
export function readClientCertificate(der: Uint8Array, sha256Hex: Sha256Hex): ClientCertificate | undefined {
  const facts = readCertificateFacts(der);
  return facts === undefined ? undefined : Object.freeze({ ...facts, fingerprint256: sha256Hex(der) });
}

export type TlsReader = (
  raw: RawRequest,
  headers: FieldList,
  fromProxy: boolean,
) => TlsFacts | Refusal | undefined;

/** @param header lower-case name of the field; undefined: nobody passes certificates on */
export function tlsReader(header: string | undefined, sha256Hex: Sha256Hex): TlsReader {
  if (header === undefined) return ({ tls }) => tls;
  const read = certificateHeaderReader(sha256Hex);
  return ({ tls }, headers, fromProxy) => {
    if (!fromProxy) {
      // A caller's own word: no rule may take it for the proxy's.
      headers.remove(header);
      return tls;
    }
    const { clientCertificate: _proxys, ...session } = tls ?? {};
    const field = headers.get(header);
    if (field === undefined) return tls === undefined ? undefined : session;
    const clientCertificate = read(field);
    return clientCertificate === undefined ? UNREADABLE : { ...session, clientCertificate };
  };
}
