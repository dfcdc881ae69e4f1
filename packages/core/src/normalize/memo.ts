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
