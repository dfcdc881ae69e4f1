/** What a TLS session says of itself and of its client. */
import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { ClientCertificate, TlsFacts } from "@gatehouse/core";
import { isHttp2, type NodeRequest } from "./types.js";

/** A session never changes, and asking OpenSSL for it costs more than reading a request. */
const FACTS = new WeakMap<object, TlsFacts>();

/** The facts of a request's TLS session, read once a connection; undefined where there is none. */
export function tlsFacts(req: NodeRequest): TlsFacts | undefined {
  const socket = req.socket as TLSSocket;
  if ((socket as Partial<TLSSocket>).encrypted !== true) return undefined;
  // HTTP/2 gives every stream an object of its own that stands for the socket.
  const session = isHttp2(req) ? (req.stream.session ?? socket) : socket;
  const known = FACTS.get(session);
  if (known !== undefined) return known;
  const facts = read(socket);
  FACTS.set(session, facts);
  return facts;
}

function read(socket: TLSSocket): TlsFacts {
  const protocol = socket.getProtocol();
  // Undefined before a handshake is done, whatever the types say.
  const cipher = (socket.getCipher() as ReturnType<TLSSocket["getCipher"]> | undefined)?.standardName;
  // One that was not verified is anybody's word.
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  return {
    ...(protocol === null ? {} : { protocol }),
    ...(cipher === undefined ? {} : { cipher }),
    ...(certificate === undefined ? {} : { clientCertificate: certificateOf(certificate) }),
  };
}

function certificateOf(certificate: X509Certificate): ClientCertificate {
  return {
    subject: distinguishedName(certificate.subject),
    subjectAltNames: alternativeNames(certificate.subjectAltName),
    fingerprint256: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    validFrom: Date.parse(certificate.validFrom),
    validTo: Date.parse(certificate.validTo),
  };
}

/** Node writes one part a line, least specific first, each escaped as in RFC 4514; that RFC writes them the other way round. */
function distinguishedName(lines: string | undefined): string {
  return (lines ?? "")
    .split("\n")
    .map((part) => part.replaceAll(" + ", "+"))
    .reverse()
    .join(",");
}

/** Node's list has a name with a comma or a quote in it as a JSON text, so that nobody can write two names in one. */
const NAME = /([^:,"]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g;

function alternativeNames(text: string | undefined): string[] {
  return [...(text ?? "").matchAll(NAME)].map(([, kind = "", value = ""]) => {
    const plain = value.startsWith('"') ? (JSON.parse(value) as string) : value;
    return `${kind === "IP Address" ? "IP" : kind}:${plain}`;
  });
}
