/** Sequences of one request, long enough to meet a limit, and what they show. */
import type { Candidate, Exchange, Seen, Step } from "./duel.js";
import { limitsOf } from "./limits.js";
import type { Pair } from "./model.js";
import type { Shown } from "./evidence.js";
import { isOf } from "./pairs.js";
import { durationOf } from "./units.js";

/** A limit beyond this is not met by asking. */
const LONGEST = 1500;
const DAY = 86_400_000;

export function* sequencesFor({ old, new: fresh }: Pair, base: Candidate): Iterable<readonly Step[]> {
  const limits = [...limitsOf(old), ...limitsOf(fresh)].map(({ settings }) => settings);
  const sizes = limits
    .map(({ limit, burst }) => Math.max(limit, burst ?? 0) + 1)
    .filter((size) => size <= LONGEST);
  const longest = Math.max(0, ...sizes);
  if (longest === 0) return;
  const step = (wait = 0, ip?: string): Step => ({
    candidate: ip === undefined ? base : { ...base, request: { ...base.request, ip } },
    wait,
  });
  yield Array.from({ length: longest }, () => step());
  // Callers at two addresses.
  yield Array.from({ length: longest * 2 }, (_, at) => step(0, `203.0.113.${1 + (at % 2)}`));
  // Two callers at one address.
  yield Array.from({ length: longest * 2 }, (_, at) => ({
    candidate: {
      ...base,
      person: base.person === undefined ? undefined : { ...base.person, id: `caller-${at % 2}` },
    },
    wait: 0,
  }));
  const windows = [
    ...new Set(
      limits.map(({ window }) =>
        window === "day" ? DAY : window === "month" ? 31 * DAY : durationOf(window ?? ""),
      ),
    ),
  ];
  for (const window of windows.filter((one) => Number.isFinite(one))) {
    for (const limit of new Set(limits.map((one) => Math.min(one.limit, one.burst ?? one.limit)))) {
      if (limit * 2 > LONGEST) continue;
      // All at once, and again when the window is over.
      yield Array.from({ length: limit * 2 }, (_, at) => step(at === limit ? Math.ceil(window * 1.12) : 0));
      if (limit <= 60) yield Array.from({ length: limit * 3 }, () => step(Math.ceil(window / limit)));
    }
  }
}

/** Whether one lets a sequence pass whole of which the other refuses one. */
export function limitEvidence(pair: Pair, exchanges: readonly Exchange[]): Shown {
  const last = exchanges.at(-1);
  const [first] = exchanges;
  if (last === undefined || first === undefined || !isOf(pair, last))
    return { wider: false, narrower: false };
  const earlier = exchanges.slice(0, -1).every(({ old, new: fresh }) => !limited(old) && !limited(fresh));
  // Asked alone both say the same of it, so that what differs is what came before.
  const alike = first.old.refusedAt === first.new.refusedAt || exchanges.length === 1;
  if (!earlier || !alike) return { wider: false, narrower: false };
  return { wider: limited(last.old) && beyond(last.new), narrower: limited(last.new) && beyond(last.old) };
}

export function limited({ refusedAt }: Seen): boolean {
  return refusedAt?.includes("limit") === true;
}

function beyond(seen: Seen): boolean {
  return !limited(seen);
}
