/** What a TLS session says of itself and of its client. */
import type { TLSSocket } from "node:tls";
import { readCertificate, type TlsFacts } from "@gatehouse/core";
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
  const clientCertificate = certificate === undefined ? undefined : readCertificate(certificate.raw);
  return {
    ...(protocol === null ? {} : { protocol }),
    ...(cipher === undefined ? {} : { cipher }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
  };
}
