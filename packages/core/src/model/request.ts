/** One name and value as they stood in the message. */
export type HeaderField = readonly [name: string, value: string];

/** What a server's socket gives, before anything is believed. */
export interface RawRequest {
  /** As on the request line; case is significant (RFC 9110 section 9.1). */
  readonly method: string;
  /** As it stood on the request line: origin-form, absolute-form, authority-form or `*`. Never re-encoded. */
  readonly target: string;
  /**
   * Fields in the order received: pairs, or the flat list that Node calls `rawHeaders`. A record hides duplicates and is
   * for tests alone.
   */
  readonly headers: readonly HeaderField[] | readonly string[] | { readonly [name: string]: string };
  /** The peer of the socket, not a forwarded address. Absent where the platform hides it. */
  readonly remoteAddress?: string | undefined;
  /** True when the socket itself is TLS. */
  readonly encrypted?: boolean | undefined;
  /** `1.0`, `1.1` or `2.0`; default `1.1`. */
  readonly httpVersion?: string | undefined;
  /** True when the server sees a request to upgrade (RFC 9110 section 7.8) and could honour it. */
  readonly upgrade?: boolean | undefined;
  /** True when content follows though no field says so: an HTTP/2 stream ends by a flag, not by a length. */
  readonly hasContent?: boolean | undefined;
  /** Facts of the TLS session, where the socket is TLS. */
  readonly tls?: TlsFacts | undefined;
}

/** Of the socket's own session: behind a proxy that ends TLS, that of the proxy. */
export interface TlsFacts {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly protocol?: string;
  /** Name of the cipher suite in IANA's registry, such as `TLS_AES_128_GCM_SHA256`. */
  readonly cipher?: string;
  /** The caller's certificate, only when the server verified it: anybody can present one that nobody trusts. */
  readonly clientCertificate?: ClientCertificate;
}

/** What a verified certificate says of its holder (RFC 5280). */
export interface ClientCertificate {
  /** Distinguished name as RFC 4514 writes it, most specific part first: `CN=ann,O=Shop,C=DE`. */
  readonly subject: string;
  /** Each with its kind: `DNS:a.test`, `URI:spiffe://shop/ann`, `email:ann@a.test`, `IP:192.0.2.1`. */
  readonly subjectAltNames: readonly string[];
  /** SHA-256 of the DER form, lower-case hex. */
  readonly fingerprint256: string;
  /** Milliseconds since the epoch. */
  readonly validFrom: number;
  readonly validTo: number;
}

/** One reading of the request. Everything that decides reads this and nothing else. */
export interface NormalizedRequest {
  readonly method: string;
  readonly scheme: "http" | "https";
  /** Lower case, without a default port and without a trailing dot; `""` where an HTTP/1.0 request named none. */
  readonly host: string;
  /** The path as sent (still percent-encoded), without query. Refused when it can be read two ways. */
  readonly path: string;
  /** `path` split at `/` without the leading empty part, percent-decoded once. `/` is `[""]`; `/a/` is `["a", ""]`. */
  readonly segments: readonly string[];
  /** After the first `?`; `""` when there is none. */
  readonly queryText: string;
  /**
   * Lower-case name to value. Repeated fields that are lists are joined with `, ` (RFC 9110 section 5.3), `cookie` with `; `.
   * A Map, because names are the caller's.
   */
  readonly headers: ReadonlyMap<string, string>;
  /** Canonical text of the client's address, or undefined where the platform hides it. */
  readonly clientIp: string | undefined;
  /** `clientIp` for IPv4; the canonical prefix (`2001:db8:1:2::/64`) for IPv6: what a limit counts by. */
  readonly clientKey: string | undefined;
  readonly encrypted: boolean;
  readonly upgrade: boolean;
  readonly tls: TlsFacts | undefined;
  /** Number of bytes that the message says its content has; undefined for chunked or unknown. */
  readonly contentLength: number | undefined;
  /** True when the message carries content: a Content-Length above 0, or a Transfer-Encoding. */
  readonly hasContent: boolean;
}

/** The caller's bytes, or (in tests) an already parsed value. `complete: false`: there is more than the limit. */
export type RawBody =
  | { readonly bytes: Uint8Array; readonly complete: boolean }
  | { readonly value: unknown }
  /** Somebody read the bytes before the adapter could. */
  | { readonly taken: true };

/** Percent-decoded parameters of the query in the order received; names and values are the caller's. */
/** Names are the caller's. */
export interface Cookies {
  /** Of a repeated name the first (RFC 6265 leaves it open). */
  readonly values: ReadonlyMap<string, string>;
  /** Names that stand more than once. */
  readonly repeated: ReadonlySet<string>;
}

export type QueryParameters = ReadonlyMap<string, string | readonly string[]>;
