/** Sizes of the policy language, in bytes. */

/** SI and IEC prefixes as ISO/IEC 80000-13 has them: `kB` is 1000, `KiB` is 1024. */
const UNIT_BYTES: ReadonlyMap<string, number> = new Map([
  ["B", 1],
  ["kB", 1_000],
  ["MB", 1_000_000],
  ["GB", 1_000_000_000],
  ["KiB", 1_024],
  ["MiB", 1_048_576],
  ["GiB", 1_073_741_824],
]);

/** Bytes of `64kB`, `1MiB` or a plain number; undefined for anything else. */
export function parseSize(size: string | number): number | undefined {
  if (typeof size === "number") return Number.isSafeInteger(size) && size >= 0 ? size : undefined;
  const match = /^(0|[1-9][0-9]{0,14})(B|kB|MB|GB|KiB|MiB|GiB)$/u.exec(size);
  if (match === null) return undefined;
  const bytes = Number(match[1]) * (UNIT_BYTES.get(match[2] ?? "") ?? Number.NaN);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
