/** Address, scheme and host of the caller, as far as the socket and trusted proxies vouch for them. */
import type { Address } from "../lib/ip.js";
import { parseHop } from "../lib/ip.js";
import { clientAddress } from "../lib/ip-client.js";
import type { ClientAddress } from "../lib/ip-client.js";
import type { TrustSettings } from "../model/policy.js";
import type { RawRequest } from "../model/request.js";
import { lastEntry, walkForwarded, walkList } from "./forwarded.js";
import { memoizedFromLast } from "./memo.js";
import type { CompiledTrust } from "./trust.js";
import { compilePeers, compileTrust, DEFAULT_IPV6_PREFIX, parsePeer } from "./trust.js";

interface Peer {
  /** Undefined for what is no address: a Unix socket. */
  readonly client: ClientAddress | undefined;
  /** Only of a peer that is trusted. */
  readonly proxy: Address | undefined;
}

/** Connections far outlive requests, so the same peers are asked about again and again. */
const MAX_PEERS = 4096;

/** Reads callers one after the other; the object is kept and refilled. */
export class ClientReader {
  client: ClientAddress | undefined;
  scheme: "http" | "https" = "http";
  /** What a trusted proxy says that it was asked for; undefined: the request's own host. */
  host: string | undefined;
  /** The socket's peer is a trusted one. */
  fromProxy = false;
  private readonly trust: CompiledTrust | undefined;
  private readonly prefix: number;
  private readonly peer: (text: string) => Peer;

  constructor(settings: TrustSettings | undefined) {
    const trust = compileTrust(settings);
    this.trust = trust;
    const trusts = settings === undefined ? undefined : compilePeers(settings);
    this.prefix = settings?.ipv6Prefix ?? DEFAULT_IPV6_PREFIX;
    this.peer = memoizedFromLast(MAX_PEERS, (text): Peer => {
      const address = parsePeer(text);
      if (address === undefined) return { client: undefined, proxy: undefined };
      return {
        client: clientAddress(address, this.prefix),
        proxy: trusts?.(address) === true ? address : undefined,
      };
    });
  }

  read(raw: RawRequest, headers: ReadonlyMap<string, string>): void {
    this.scheme = raw.encrypted === true ? "https" : "http";
    this.host = undefined;
    this.client = undefined;
    this.fromProxy = false;
    if (raw.remoteAddress === undefined) return;
    const peer = this.peer(raw.remoteAddress);
    this.client = peer.client;
    this.fromProxy = peer.proxy !== undefined;
    if (this.trust !== undefined && peer.proxy !== undefined)
      this.readProxied(this.trust, peer.proxy, headers);
  }

  private readProxied(trust: CompiledTrust, peer: Address, headers: ReadonlyMap<string, string>): void {
    const field = headers.get(trust.header);
    if (trust.family === "forwarded") {
      if (field !== undefined) this.readForwarded(trust, peer, field);
      return;
    }
    if (field !== undefined) {
      const address = trust.family === "single" ? parseHop(field) : walkList(field, peer, trust.trusts);
      if (address !== undefined && address !== peer) this.client = clientAddress(address, this.prefix);
    }
    if (trust.schemeHeader !== undefined) this.believeScheme(lastOf(headers, trust.schemeHeader));
    if (trust.host) this.host = lastOf(headers, "x-forwarded-host");
  }

  private readForwarded(trust: CompiledTrust, peer: Address, field: string): void {
    const { address, element } = walkForwarded(field, peer, trust.trusts);
    if (address !== peer) this.client = clientAddress(address, this.prefix);
    this.believeScheme(element?.get("proto"));
    if (trust.host) this.host = element?.get("host");
  }

  /** A proxy that names anything else than https did not see https: the rule that requires it must not pass by the inner hop's TLS. */
  private believeScheme(named: string | undefined): void {
    if (named !== undefined) this.scheme = named.toLowerCase() === "https" ? "https" : "http";
  }
}

function lastOf(headers: ReadonlyMap<string, string>, name: string): string | undefined {
  const list = headers.get(name);
  return list === undefined ? undefined : lastEntry(list);
}
