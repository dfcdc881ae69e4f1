/** Address ranges (CIDR, RFC 4632 and 4291) and the named ranges of the language. */
import { formatAddress, parseAddress } from "./ip.js";
import type { Address } from "./ip.js";
import { lazy } from "./lazy.js";

export interface AddressRange {
  /** First address of the range. */
  readonly first: Address;
  /** Bits that must agree, of 32 or 128. */
  readonly prefix: number;
}

/** The mistake in a range, for a diagnostic. */
export interface RangeProblem {
  readonly problem: string;
  /** What was probably meant. */
  readonly suggestion?: string;
}

/**
 * Reads `10.0.0.0/8`, `2001:db8::/32` or a single address. Host bits must be zero: `10.1.2.3/8` says two things at once.
 */
export function parseRange(text: string): AddressRange | RangeProblem {
  const slash = text.indexOf("/");
  const first = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (first === undefined) return { problem: "is no IP address or CIDR range" };
  const width = first.v4 >= 0 ? 32 : 128;
  if (slash < 0) return { first, prefix: width };
  const prefix = parsePrefix(text.slice(slash + 1), width);
  // A mapped address is read as IPv4, so its prefix would be counted from another end.
  if (prefix === undefined || (width === 32 && text.includes(":")))
    return { problem: "is no IP address or CIDR range" };
  const masked = maskAddress(first, prefix);
  if (sameAddress(masked, first)) return { first, prefix };
  return { problem: "has bits set after its prefix", suggestion: `${formatAddress(masked)}/${prefix}` };
}

export function isRangeProblem(range: AddressRange | RangeProblem): range is RangeProblem {
  return "problem" in range;
}

function parsePrefix(text: string, width: number): number | undefined {
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(text)) return undefined;
  const prefix = Number(text);
  return prefix <= width ? prefix : undefined;
}

function sameAddress(a: Address, b: Address): boolean {
  return a.v4 === b.v4 && a.groups.every((group, index) => group === b.groups[index]);
}

/** The address with all bits after `prefix` cleared. */
export function maskAddress(address: Address, prefix: number): Address {
  if (address.v4 >= 0) return { v4: maskBits(address.v4, prefix, 32), groups: address.groups };
  return { v4: -1, groups: address.groups.map((group, index) => maskBits(group, prefix - index * 16, 16)) };
}

function maskBits(value: number, keep: number, width: number): number {
  if (keep <= 0) return 0;
  if (keep >= width) return value;
  const unit = 2 ** (width - keep);
  return Math.floor(value / unit) * unit;
}

export function inRange(address: Address, range: AddressRange): boolean {
  const { first, prefix } = range;
  if (first.v4 >= 0) return address.v4 >= 0 && sharesBits(address.v4, first.v4, prefix, 32);
  if (address.v4 >= 0) return false;
  for (let i = 0; i < 8 && prefix > i * 16; i += 1) {
    if (!sharesBits(address.groups[i] ?? 0, first.groups[i] ?? 0, prefix - i * 16, 16)) return false;
  }
  return true;
}

function sharesBits(a: number, b: number, prefix: number, width: number): boolean {
  if (prefix <= 0) return true;
  return prefix >= width ? a === b : (a ^ b) >>> (width - prefix) === 0;
}

export function inAnyRange(address: Address, ranges: readonly AddressRange[]): boolean {
  for (const range of ranges) {
    if (inRange(address, range)) return true;
  }
  return false;
}

type Ranges = () => readonly AddressRange[];

/** Read when somebody asks: every start would read them, and few policies name one. */
function known(...texts: readonly string[]): Ranges {
  return lazy(() =>
    texts.map((text) => parseRange(text)).filter((range): range is AddressRange => !isRangeProblem(range)),
  );
}

/** `loopback`, `private` (RFC 1918, RFC 4193) and `linklocal` (RFC 3927, RFC 4291). */
export const NAMED_RANGES: ReadonlyMap<string, Ranges> = new Map([
  ["loopback", known("127.0.0.0/8", "::1")],
  ["private", known("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")],
  ["linklocal", known("169.254.0.0/16", "fe80::/10")],
]);

/** IPv4 ranges that are not reachable from the outside (RFC 6890): a tunnel address that embeds one of them is forged. */
export const NOT_GLOBAL_IPV4: Ranges = known(
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "224.0.0.0/3",
);
