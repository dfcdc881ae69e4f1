/** Longer texts are computed anew each time, so that the bound on entries is a bound on memory too. */
const MAX_TEXT = 256;

/**
 * Remembers what a short text of the caller's stands for. Bounded by forgetting everything at once: cheaper than an order of
 * use, and a flood of new texts costs no more than not remembering at all.
 */
export function memoized<T>(max: number, compute: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  // A server's callers come through few proxies and ask for few names. A text that came with a request has no hash yet, and to make one
  // for the table takes longer than to compare it.
  let last: { readonly text: string; readonly value: T } | undefined;
  return (text) => {
    if (last?.text === text) return last.value;
    if (text.length > MAX_TEXT) return compute(text);
    let value = known.get(text);
    if (value === undefined) {
      value = compute(text);
      if (known.size >= max) known.clear();
      known.set(text, value);
    }
    last = { text, value };
    return value;
  };
}
