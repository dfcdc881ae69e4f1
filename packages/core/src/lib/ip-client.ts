/** From an address to what a policy calls it and what a limit counts it by. */
import { embeddedIPv4, formatAddress, formatIPv4 } from "./ip.js";
import type { Address } from "./ip.js";
import { inAnyRange, maskAddress, NOT_GLOBAL_IPV4 } from "./ip-range.js";

export interface ClientAddress {
  /** Canonical text. */
  readonly ip: string;
  /** IPv4 as it is; IPv6 by its prefix, because one customer holds at least a /64. */
  readonly key: string;
}

/**
 * @param ipv6Prefix 48 to 64: how many bits of an IPv6 address make one client
 */
export function clientAddress(address: Address, ipv6Prefix: number): ClientAddress {
  const tunnelled = tunnelledIPv4(address);
  const ip = tunnelled >= 0 ? formatIPv4(tunnelled) : formatAddress(address);
  if (address.v4 >= 0 || tunnelled >= 0) return { ip, key: ip };
  return { ip, key: `${formatAddress(maskAddress(address, ipv6Prefix))}/${ipv6Prefix}` };
}

/**
 * All of NAT64 in one prefix would be one bucket for everybody. But the embedded address is taken at its word only when it is
 * global: `2002:7f00:1::` must not become 127.0.0.1 for a condition that asks where the caller is (RFC 3056 section 2, RFC 6052 section 3.1).
 */
function tunnelledIPv4(address: Address): number {
  const embedded = embeddedIPv4(address);
  return embedded >= 0 && !inAnyRange({ v4: embedded, groups: [] }, NOT_GLOBAL_IPV4()) ? embedded : -1;
}
