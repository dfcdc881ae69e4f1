/**
 * The one reader and writer of IP addresses (RFC 3986 section 3.2.2, RFC 4291, RFC 5952). Strict: an octet with a leading zero or
 * above 255, a zone id and blanks are no address, because two readers that differ there give one caller two identities.
 */

/** IPv4 as one unsigned number; IPv6 as eight groups. An IPv4-mapped IPv6 address is read as IPv4 in every spelling. */
export interface Address {
  /** Unsigned 32-bit number; -1 for IPv6. */
  readonly v4: number;
  /** Eight 16-bit groups; empty for IPv4. */
  readonly groups: readonly number[];
}

const NO_GROUPS: readonly number[] = [];
const COLON = 58;
const DOT = 46;

/** The unsigned number of a dotted quad, or -1. */
export function parseIPv4(text: string): number {
  if (text.length > 15) return -1;
  let value = 0;
  let octet = -1;
  let octets = 0;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === DOT) {
      if (octet < 0) return -1;
      value = value * 256 + octet;
      octets += 1;
      octet = -1;
    } else if (code >= 48 && code <= 57) {
      if (octet === 0) return -1;
      octet = octet < 0 ? code - 48 : octet * 10 + code - 48;
      if (octet > 255) return -1;
    } else return -1;
  }
  return octets === 3 && octet >= 0 ? value * 256 + octet : -1;
}

/** The eight groups of an IPv6 address, or undefined. */
export function parseIPv6(text: string): number[] | undefined {
  if (text.length < 2 || text.length > 45) return undefined;
  const gap = text.indexOf("::");
  if (gap < 0) return groupsOf(text, 8);
  if (text.includes("::", gap + 1)) return undefined;
  const head = gap === 0 ? [] : groupsOf(text.slice(0, gap), undefined);
  const tail = gap + 2 === text.length ? [] : groupsOf(text.slice(gap + 2), undefined);
  // A dotted quad stands only at the very end.
  if (head === undefined || tail === undefined || text.lastIndexOf(".", gap) >= 0) return undefined;
  const missing = 8 - head.length - tail.length;
  if (missing < 1) return undefined;
  return [...head, ...Array.from({ length: missing }, () => 0), ...tail];
}

function groupsOf(text: string, wanted: number | undefined): number[] | undefined {
  const groups: number[] = [];
  let start = 0;
  while (start <= text.length) {
    const colon = text.indexOf(":", start);
    const part = colon < 0 ? text.slice(start) : text.slice(start, colon);
    if (colon < 0 && part.includes(".")) {
      const v4 = parseIPv4(part);
      if (v4 < 0) return undefined;
      groups.push(v4 >>> 16, v4 & 0xffff);
    } else {
      const group = parseGroup(part);
      if (group < 0) return undefined;
      groups.push(group);
    }
    if (colon < 0) break;
    start = colon + 1;
  }
  return groups.length > 8 || (wanted !== undefined && groups.length !== wanted) ? undefined : groups;
}

function parseGroup(text: string): number {
  if (text.length === 0 || text.length > 4) return -1;
  let value = 0;
  for (let i = 0; i < text.length; i += 1) {
    const digit = hexDigit(text.charCodeAt(i));
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** Reads an address without port, brackets or zone id. */
export function parseAddress(text: string): Address | undefined {
  const v4 = parseIPv4(text);
  if (v4 >= 0) return { v4, groups: NO_GROUPS };
  const groups = parseIPv6(text);
  if (groups === undefined) return undefined;
  const mapped = startsWith(groups, MAPPED) ? tail32(groups, 6) : -1;
  return mapped >= 0 ? { v4: mapped, groups: NO_GROUPS } : { v4: -1, groups };
}

/**
 * Reads a hop as proxies write it: `ip`, `ip:port`, `[ip6]` or `[ip6]:port`. A port that stayed on the address would give
 * every connection behind such a proxy a key of its own.
 */
export function parseHop(text: string): Address | undefined {
  if (text.charCodeAt(0) === 91) {
    const end = text.indexOf("]");
    if (end < 0 || !isPortSuffix(text, end + 1)) return undefined;
    const groups = parseIPv6(text.slice(1, end));
    return groups === undefined ? undefined : parseAddress(text.slice(1, end));
  }
  const colon = text.indexOf(":");
  if (colon < 0 || colon !== text.lastIndexOf(":")) return parseAddress(text);
  if (!isPortSuffix(text, colon)) return undefined;
  const v4 = parseIPv4(text.slice(0, colon));
  return v4 < 0 ? undefined : { v4, groups: NO_GROUPS };
}

/** Nothing, or `:` and a port from 0 to 65535. */
function isPortSuffix(text: string, from: number): boolean {
  if (from === text.length) return true;
  if (text.charCodeAt(from) !== COLON || text.length - from < 2 || text.length - from > 6) return false;
  let port = 0;
  for (let i = from + 1; i < text.length; i += 1) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return false;
    port = port * 10 + digit;
  }
  return port <= 65_535;
}

const MAPPED: readonly number[] = [0, 0, 0, 0, 0, 0xffff];
const NAT64: readonly number[] = [0x64, 0xff9b, 0, 0, 0, 0];
const SIX_TO_FOUR: readonly number[] = [0x2002];

function startsWith(groups: readonly number[], prefix: readonly number[]): boolean {
  return prefix.every((group, index) => groups[index] === group);
}

function tail32(groups: readonly number[], at: number): number {
  return ((groups[at] ?? 0) * 65_536 + (groups[at + 1] ?? 0)) >>> 0;
}

/** The IPv4 address that a NAT64 (RFC 6052) or 6to4 (RFC 3056) address stands for, or -1. */
export function embeddedIPv4(address: Address): number {
  if (address.v4 >= 0) return -1;
  if (startsWith(address.groups, NAT64)) return tail32(address.groups, 6);
  return startsWith(address.groups, SIX_TO_FOUR) ? tail32(address.groups, 1) : -1;
}

export function formatIPv4(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

/** The canonical text of RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups shortened. */
export function formatIPv6(groups: readonly number[]): string {
  const { start, length } = longestZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let start = -1;
  for (let i = 0; i <= groups.length; i += 1) {
    if (groups[i] === 0) {
      if (start < 0) start = i;
    } else if (start >= 0) {
      if (i - start > best.length) best = { start, length: i - start };
      start = -1;
    }
  }
  return best;
}

export function formatAddress(address: Address): string {
  return address.v4 >= 0 ? formatIPv4(address.v4) : formatIPv6(address.groups);
}
