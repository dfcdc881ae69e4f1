/** Longer texts are computed anew each time, so that the bound on entries is a bound on memory too. */
const MAX_TEXT = 256;

/**
 * To remember a text that does not come again before all is forgotten is dearer than to work it out. Where more take turns than are
 * remembered, that goes for each: the few that are known stay, until so many times their number have come that were not.
 */
const STRANGERS = 8;

/**
 * Remembers what a short text of the caller's stands for. Bounded by forgetting everything at once, and seldom: cheaper than an order
 * of use, and a flood of new texts costs no more than not remembering at all.
 */
export function memoized<T>(max: number, compute: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  let strangers = 0;
  return (text) => {
    if (text.length > MAX_TEXT) return compute(text);
    const found = known.get(text);
    if (found !== undefined) return found;
    const value = compute(text);
    if (known.size >= max) {
      strangers += 1;
      if (strangers <= STRANGERS * max) return value;
      strangers = 0;
      known.clear();
    }
    known.set(text, value);
    return value;
  };
}

interface Known<T> {
  readonly text: string;
  readonly value: T;
}

/**
 * For what mostly is what it was the last time: a server is reached through few proxies and asked for by few names. A text that came
 * with a request has no hash yet, and to make one for the table takes longer than to compare it. Of callers, who take turns, each
 * comparison would be made in vain.
 */
export function memoizedFromLast<T>(max: number, compute: (text: string) => T): (text: string) => T {
  // Each holds its text, so that to be the last one makes no object.
  const known = memoized(max, (text): Known<T> => ({ text, value: compute(text) }));
  let last: Known<T> | undefined;
  return (text) => {
    if (last?.text === text) return last.value;
    const found = known(text);
    if (text.length <= MAX_TEXT) last = found;
    return found.value;
  };
}
