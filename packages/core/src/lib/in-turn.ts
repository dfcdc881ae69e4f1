/** Work that must not overlap. */

/** Runs what it is given one after another, in the order in which it was asked; one that fails holds up none. */
export function oneAfterAnother(): <T>(run: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (run) => {
    const next = last.then(run);
    last = next.catch(() => undefined);
    return next;
  };
}
