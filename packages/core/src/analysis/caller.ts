/** Address, scheme and host of a request as the engine comes to see them, with every step of the way: read by the engine's own code. */
import { formatAddress, parseHop, type Address } from "../lib/ip.js";
import type { TrustSettings } from "../model/policy.js";
import type { RawRequest } from "../model/request.js";
import type { ResolvedPolicy } from "../model/resolved.js";
import { walkForwarded, walkList } from "../normalize/forwarded.js";
import { compileNormalizer } from "../normalize/index.js";
import { compilePeers, compileTrust, parsePeer, type TrustedFamily } from "../normalize/trust.js";

/** One address on the way, the nearest first. */
export interface SeenHop {
  /** As it is written. */
  readonly text: string;
  /** Canonical; undefined: it is no address, and ends the walk. */
  readonly address: string | undefined;
  /** The entry of `trust.peers` that it lies in. */
  readonly trustedAs: string | undefined;
}

export interface CallerView {
  /** The head cannot be read in one way: nothing below was asked. */
  readonly refused: { readonly code: string; readonly reason: string } | undefined;
  /** Undefined where the socket has no address. */
  readonly peer: SeenHop | undefined;
  /** What `trust` says is read of a trusted peer. */
  readonly reads: { readonly header: string; readonly family: TrustedFamily } | undefined;
  /** The field, where it was read: repeated ones joined. */
  readonly field: string | undefined;
  readonly hops: readonly SeenHop[];
  readonly client: string | undefined;
  /** By what limits count it. */
  readonly key: string | undefined;
  readonly scheme: "http" | "https";
  readonly host: string;
}

const NOBODY = {
  peer: undefined,
  reads: undefined,
  field: undefined,
  hops: [],
  client: undefined,
  key: undefined,
};

export function seeCaller(policy: ResolvedPolicy, raw: RawRequest): CallerView {
  // Fingerprints of certificates are nothing that is looked at here.
  const request = compileNormalizer(policy, { sha256Hex: () => "" })(raw);
  if ("kind" in request) {
    const { code, reason } = request;
    return { ...NOBODY, refused: { code, reason }, scheme: "http", host: "" };
  }
  const settings = policy.document.transport?.trust;
  const { clientIp, clientKey, scheme, host, headers } = request;
  const seen = { refused: undefined, client: clientIp, key: clientKey, scheme, host };
  const address = raw.remoteAddress === undefined ? undefined : parsePeer(raw.remoteAddress);
  if (raw.remoteAddress === undefined) return { ...NOBODY, ...seen };
  const peer = hopOf(raw.remoteAddress, address, settings);
  const trust = compileTrust(settings);
  const reads = trust === undefined ? undefined : { header: trust.header, family: trust.family };
  const field = trust === undefined || peer.trustedAs === undefined ? undefined : headers.get(trust.header);
  const hops: SeenHop[] = [];
  if (trust !== undefined && field !== undefined && address !== undefined) {
    const note = (text: string, hop: Address | undefined): void => void hops.push(hopOf(text, hop, settings));
    if (trust.family === "x-forwarded-for") walkList(field, address, trust.trusts, note);
    else if (trust.family === "forwarded") walkForwarded(field, address, trust.trusts, note);
    else note(field, parseHop(field));
  }
  return { peer, reads, field, hops, ...seen };
}

function hopOf(text: string, address: Address | undefined, settings: TrustSettings | undefined): SeenHop {
  const trustedAs =
    address === undefined
      ? undefined
      : settings?.peers.find((range) => compilePeers({ peers: [range] })(address));
  return { text, address: address === undefined ? undefined : formatAddress(address), trustedAs };
}
