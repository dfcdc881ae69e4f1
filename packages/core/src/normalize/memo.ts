/** Longer texts are computed anew each time, so that the bound on entries is a bound on memory too. */
const MAX_TEXT = 256;

/**
 * Remembers what a short text of the caller's stands for. Bounded by forgetting everything at once: cheaper than an order of
 * use, and a flood of new texts costs no more than not remembering at all.
 */
export function memoized<T>(max: number, compute: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    if (text.length > MAX_TEXT) return compute(text);
    const found = known.get(text);
    if (found !== undefined) return found;
    const value = compute(text);
    if (known.size >= max) known.clear();
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
