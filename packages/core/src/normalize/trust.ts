/** Whose word about address, scheme and host is believed: one decision for all three, taken on the socket's peer. */
import { parseAddress } from "../lib/ip.js";
import type { Address } from "../lib/ip.js";
import { inAnyRange, isRangeProblem, NAMED_RANGES, parseRange } from "../lib/ip-range.js";
import type { AddressRange } from "../lib/ip-range.js";
import type { TrustSettings } from "../model/policy.js";

/** Header families whose grammar is known; any other field name holds one address. */
export type TrustedFamily = "x-forwarded-for" | "forwarded" | "single";

export interface CompiledTrust {
  readonly family: TrustedFamily;
  /** Lower-case name of the field that holds the address. */
  readonly header: string;
  /** Lower-case name of the field whose last value is the scheme; undefined: the socket's (and Forwarded's own `proto`). */
  readonly schemeHeader: string | undefined;
  /** True: the host that the proxy was asked for counts, not the one that it asked us for. */
  readonly host: boolean;
  readonly trusts: (address: Address) => boolean;
}

export const DEFAULT_IPV6_PREFIX = 64;

export function compileTrust(settings: TrustSettings | undefined): CompiledTrust | undefined {
  if (settings?.header === undefined) return undefined;
  const header = settings.header.toLowerCase();
  const family = familyOf(header);
  return {
    family,
    header,
    schemeHeader: family === "x-forwarded-for" ? "x-forwarded-proto" : settings.scheme?.toLowerCase(),
    host: settings.host === true,
    trusts: compilePeers(settings),
  };
}

export function compilePeers({ peers }: TrustSettings): (address: Address) => boolean {
  const ranges = peers.flatMap(rangesOf);
  return (address) => inAnyRange(address, ranges);
}

export function familyOf(header: string): TrustedFamily {
  return header === "x-forwarded-for" || header === "forwarded" ? header : "single";
}

/** Empty for what is no range: the cross-checks have refused such a policy. */
function rangesOf(peer: string): readonly AddressRange[] {
  const named = NAMED_RANGES.get(peer)?.();
  if (named !== undefined) return named;
  const range = parseRange(peer);
  return isRangeProblem(range) ? [] : [range];
}

/** The peer of a socket. A zone id there is the system's own (`fe80::1%eth0`), not a caller's. */
export function parsePeer(text: string): Address | undefined {
  const zone = text.indexOf("%");
  return parseAddress(zone < 0 ? text : text.slice(0, zone));
}
