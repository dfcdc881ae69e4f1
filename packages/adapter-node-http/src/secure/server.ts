/** Servers of HTTPS and HTTP/2 whose only door is the guard, with settings of TLS that need no second look. */
import { constants } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import {
  createSecureServer as createHttp2Server,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from "node:http2";
import { createServer as createHttpsServer, type Server } from "node:https";
import type { SecureContextOptions, TLSSocket } from "node:tls";
import type { Engine } from "@gatehouse/core";
import { guard, type Handler } from "../guard.js";
import type { NodeRequest, NodeResponse } from "../types.js";
import { loadMaterial, type Material } from "./material.js";
import {
  secureSettingsOf,
  type SecureHttpOptions,
  type SecureOptions,
  type SecureSettings,
} from "./options.js";

export type SecureServer<S extends Server | Http2SecureServer> = S & {
  /**
   * Reads key, certificate and `ca` again. Connections that are open go on, and new ones meet what was read; a client cannot resume a session
   * that it began before.
   * @throws Error (rejects) on any problem with what was read; the old material stays
   */
  reload(): Promise<void>;
};

/** RFC 9325 section 4.2: forward secrecy and authenticated encryption, and of TLS 1.3 all that OpenSSL offers by default. */
const CIPHERS = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");

/** A client that does not finish its handshake holds a socket. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Node's own default has no bound. RFC 9113 section 6.5.2 advises against less. */
const MAX_CONCURRENT_STREAMS = 100;

/**
 * An HTTPS server, with HTTP/2 where `http2` is true. Key and certificate come from references and are replaced by `reload()`.
 * @throws TypeError (rejects) for an option that is wrong
 * @throws Error (rejects) naming the reference when key or certificate are missing, unreadable, weak, out of their time, or do not fit
 */
export function createSecureServer(
  engine: Engine,
  handler: Handler<Http2ServerRequest, Http2ServerResponse>,
  options: SecureOptions & { readonly http2: true },
  serverOptions?: SecureHttpOptions,
): Promise<SecureServer<Http2SecureServer>>;
export function createSecureServer(
  engine: Engine,
  handler: Handler<IncomingMessage, ServerResponse>,
  options: SecureOptions & { readonly http2?: false },
  serverOptions?: SecureHttpOptions,
): Promise<SecureServer<Server>>;
export async function createSecureServer<Req extends NodeRequest, Res extends NodeResponse>(
  engine: Engine,
  handler: Handler<Req, Res>,
  options: SecureOptions,
  serverOptions: SecureHttpOptions = {},
): Promise<SecureServer<Server | Http2SecureServer>> {
  const settings = secureSettingsOf(options, serverOptions);
  const server = serverOf(settings, await loadMaterial(settings), serverOptions);
  guard(engine, handler, settings.guard).attach(server);
  return Object.assign(server, {
    reload: oneAfterAnother(async () => {
      // With the context Node changes the keys of session tickets: an old ticket would carry the verdict on a client certificate that
      // nobody vouches for any more. A test holds it to that.
      server.setSecureContext(contextOf(settings, await loadMaterial(settings)));
    }),
  });
}

function serverOf(
  settings: SecureSettings,
  material: Material,
  serverOptions: SecureHttpOptions,
): Server | Http2SecureServer {
  const { clientCertificates, http2 } = settings;
  const options = {
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    ...serverOptions,
    ...contextOf(settings, material),
    requestCert: clientCertificates !== "off",
    rejectUnauthorized: clientCertificates === "require",
    // The policy judges Host, so that Node does not answer without it.
    requireHostHeader: false,
  };
  const server = http2
    ? createHttp2Server({
        ...options,
        allowHTTP1: true,
        settings: { maxConcurrentStreams: MAX_CONCURRENT_STREAMS, ...serverOptions.settings },
      })
    : createHttpsServer(options);
  // Before Node's own listener: nothing of such a connection is read.
  if (clientCertificates === "request") server.prependListener("secureConnection", closeUnverified);
  return server;
}

function contextOf({ minVersion }: SecureSettings, { key, cert, ca }: Material): SecureContextOptions {
  return {
    key,
    cert,
    ...(ca === undefined ? {} : { ca: [...ca] }),
    minVersion,
    ciphers: CIPHERS,
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
  };
}

/** Without a certificate a caller is anonymous; with a bad one it is not. */
function closeUnverified(socket: TLSSocket): void {
  if (!socket.authorized && socket.getPeerX509Certificate() !== undefined) socket.destroy();
}

/** Two that run at once could leave the older of what they read. */
function oneAfterAnother(run: () => Promise<void>): () => Promise<void> {
  let last = Promise.resolve();
  return () => {
    const next = last.then(run);
    last = next.catch(() => undefined);
    return next;
  };
}
