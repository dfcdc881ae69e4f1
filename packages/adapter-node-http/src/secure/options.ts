/** What a secure server may be told, and what of Node's own options would undo it. */
import type { ServerOptions } from "node:http";
import type { SecureServerOptions } from "node:http2";
import { refuseUnknownOptions, type SecretSource } from "@gatehouse/core";
import { nodeSecrets } from "@gatehouse/core/node";
import { GUARD_OPTIONS, requireFunction, type GuardOptions } from "../options.js";

export interface SecureOptions extends GuardOptions {
  /** Reference to the private key in PEM: `file:PATH`, `env:NAME`, or what `secrets` resolves. Never the key itself. */
  readonly key: string;
  /** Reference to the certificate in PEM, with the certificates of its chain behind it. */
  readonly cert: string;
  /** Reference to the passphrase of an encrypted key. */
  readonly passphrase?: string;
  /** Resolves the references. Default: `env:` and `file:`, relative to the working directory. */
  readonly secrets?: SecretSource;
  /** Oldest version of TLS. Default `TLSv1.2`. */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
  /**
   * - `off`: none is asked for (the default)
   * - `request`: a caller may present one; a connection with one that `ca` does not vouch for is closed
   * - `require`: the same, and without one there is no connection
   */
  readonly clientCertificates?: "off" | "request" | "require";
  /** Reference to the certificates in PEM that vouch for clients: they alone, not the system's. Needed unless `clientCertificates` is `off`. */
  readonly ca?: string;
  /** True: HTTP/2, and HTTP/1.1 for callers that speak nothing else. Default false: HTTP/1.1. */
  readonly http2?: boolean;
}

/** Node's options of HTTP, and those of TLS that say how long: the others are settled here. */
export type SecureHttpOptions = Partial<
  Pick<ServerOptions, (typeof HTTP_OPTIONS)[number] & keyof ServerOptions> &
    Pick<SecureServerOptions, (typeof HTTP2_OPTIONS)[number] | "sessionTimeout" | "handshakeTimeout">
>;

/** Written out: an option of TLS that a later Node may learn is none of these. */
const HTTP_OPTIONS = [
  "connectionsCheckingInterval",
  "handshakeTimeout",
  "headersTimeout",
  "highWaterMark",
  "joinDuplicateHeaders",
  "keepAlive",
  "keepAliveInitialDelay",
  "keepAliveTimeout",
  "maxHeaderSize",
  "noDelay",
  "requestTimeout",
  "sessionTimeout",
] as const;
const HTTP2_OPTIONS = [
  "maxDeflateDynamicTableSize",
  "maxHeaderListPairs",
  "maxOutstandingPings",
  "maxSendHeaderBlockLength",
  "maxSessionInvalidFrames",
  "maxSessionMemory",
  "maxSessionRejectedStreams",
  "maxSettings",
  "settings",
  "unknownProtocolTimeout",
] as const;

const OWN_OPTIONS = [
  "key",
  "cert",
  "passphrase",
  "secrets",
  "minVersion",
  "clientCertificates",
  "ca",
  "http2",
] as const;

export type Reference = "key" | "cert" | "passphrase" | "ca";

export interface SecureSettings {
  /** By option; those that were given. */
  readonly references: ReadonlyMap<Reference, string>;
  readonly secrets: SecretSource;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  readonly clientCertificates: "off" | "request" | "require";
  readonly http2: boolean;
  readonly guard: GuardOptions;
}

/** @throws TypeError naming the option that is wrong, and never what stands in it */
export function secureSettingsOf(options: SecureOptions, serverOptions: object): SecureSettings {
  refuseUnknownOptions(options, [...OWN_OPTIONS, ...GUARD_OPTIONS]);
  const { secrets = nodeSecrets, http2 = false } = options;
  requireFunction("secrets.get", (secrets as Partial<SecretSource> | null)?.get);
  if (typeof http2 !== "boolean") throw new TypeError("`http2` is neither true nor false");
  refuseUnknownOptions(serverOptions, http2 ? [...HTTP_OPTIONS, ...HTTP2_OPTIONS] : HTTP_OPTIONS);
  return {
    references: referencesOf(options),
    secrets,
    minVersion: oneOf("minVersion", options.minVersion ?? "TLSv1.2", ["TLSv1.2", "TLSv1.3"]),
    clientCertificates: clientCertificatesOf(options),
    http2,
    guard: Object.fromEntries(
      Object.entries(options).filter(([name]) => (GUARD_OPTIONS as readonly string[]).includes(name)),
    ),
  };
}

function referencesOf(options: SecureOptions): ReadonlyMap<Reference, string> {
  const references = new Map<Reference, string>();
  for (const name of ["key", "cert", "passphrase", "ca"] as const) {
    const reference: unknown = options[name];
    if (reference === undefined && name !== "key" && name !== "cert") continue;
    if (typeof reference !== "string" || reference === "" || reference.includes("-----BEGIN")) {
      throw new TypeError(
        `\`${name}\` is not a reference to a secret; write where it lies, such as \`file:PATH\` or \`env:NAME\``,
      );
    }
    references.set(name, reference);
  }
  return references;
}

function clientCertificatesOf({
  clientCertificates = "off",
  ca,
}: SecureOptions): "off" | "request" | "require" {
  const known = oneOf("clientCertificates", clientCertificates, ["off", "request", "require"]);
  if (known === "off" && ca !== undefined) {
    throw new TypeError("`ca` vouches for clients, and `clientCertificates` is `off`");
  }
  if (known !== "off" && ca === undefined) {
    throw new TypeError("`clientCertificates` needs `ca`: the system's authorities vouch for anybody");
  }
  return known;
}

function oneOf<Word extends string>(name: string, value: Word, words: readonly Word[]): Word {
  if (!words.includes(value)) throw new TypeError(`\`${name}\` is none of ${words.join(", ")}`);
  return value;
}
