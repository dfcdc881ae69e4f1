/** Durations of policies, in seconds. */
const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };

/** 0: it is none. */
export function seconds(duration: string | undefined): number {
  const [, count = "0", unit = "s"] = /^(\d+)(ms|s|m|h|d)$/u.exec(duration ?? "") ?? [];
  return Number(count) * (UNITS[unit] ?? 1);
}
