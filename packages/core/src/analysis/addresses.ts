/** Address ranges, and one address for each way in which ranges can tell addresses apart. */
import { formatAddress, parseAddress, type Address } from "../lib/ip.js";
import { inAnyRange, isRangeProblem, NAMED_RANGES, parseRange, type AddressRange } from "../lib/ip-range.js";

export const NAMED_RANGE_NAMES: readonly string[] = [...NAMED_RANGES.keys()];

/** @param ranges CIDRs and names of ranges */
export function inRanges(address: string, ranges: readonly string[]): boolean {
  const parsed = parseAddress(address);
  return parsed !== undefined && inAnyRange(parsed, ranges.flatMap(rangesOf));
}

/**
 * The first and the last address of each range, and their neighbours. Ranges lie inside or beside each other, so whatever set of them
 * an address can be in, one of these is in it too.
 */
export function addressesAround(ranges: readonly string[]): readonly string[] {
  const found = new Set<string>();
  for (const range of ranges.flatMap(rangesOf)) {
    const first = bitsOf(range.first);
    const width = range.first.v4 >= 0 ? 32 : 128;
    const last = first + 2n ** BigInt(width - range.prefix) - 1n;
    for (const bits of [first - 1n, first, last, last + 1n]) {
      if (bits < 0n || bits >= 2n ** BigInt(width)) continue;
      found.add(textOf(bits, width));
    }
  }
  return [...found];
}

function rangesOf(text: string): readonly AddressRange[] {
  const named = NAMED_RANGES.get(text)?.();
  if (named !== undefined) return named;
  const range = parseRange(text);
  return isRangeProblem(range) ? [] : [range];
}

function bitsOf({ v4, groups }: Address): bigint {
  return v4 >= 0 ? BigInt(v4) : groups.reduce((bits, group) => bits * 65_536n + BigInt(group), 0n);
}

function textOf(bits: bigint, width: number): string {
  if (width === 32) return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 255n).join(".");
  const groups = Array.from({ length: 8 }, (_, at) => Number((bits >> BigInt(112 - at * 16)) & 65_535n));
  return formatAddress({ v4: -1, groups });
}
