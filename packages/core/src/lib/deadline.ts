/**
 * Waits, but not for ever. What goes wrong is a value; it rejects only where `heard` or `failed` throw.
 *
 * @param overdue what `failed` is told when the time is over
 * @param late called with what came after the time was over
 */
export function withinTime<T>(
  promise: PromiseLike<unknown>,
  milliseconds: number,
  heard: (answer: unknown) => T,
  failed: (error: unknown) => T,
  overdue: () => unknown,
  late: (answer: unknown) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let over = false;
    const give = (): void => {
      over = true;
      resolve(failed(overdue()));
    };
    // A busy process fires the timer before it reads the answer that is already there: two turns let that in first.
    let timer = setTimeout(() => {
      timer = setTimeout(() => {
        timer = setTimeout(give, 0);
      }, 0);
    }, milliseconds);
    const answered = (answer: unknown): void => {
      if (over) return late(answer);
      clearTimeout(timer);
      resolve(heard(answer));
    };
    const refused = (error: unknown): void => {
      if (over) return;
      clearTimeout(timer);
      resolve(failed(error));
    };
    // A `then` of the store's own may throw; and what is thrown here has nobody else to hear it: it would end the process.
    Promise.resolve(promise).then(answered, refused).catch(reject);
  });
}

/** @returns what it gives; rejects as it does, or with `overdue` where it is late */
export async function inTime(
  promise: PromiseLike<unknown>,
  milliseconds: number,
  overdue: () => unknown,
): Promise<unknown> {
  const outcome = await withinTime<{ readonly answer: unknown } | { readonly error: unknown }>(
    promise,
    milliseconds,
    (answer) => ({ answer }),
    (error) => ({ error }),
    overdue,
    () => undefined,
  );
  if ("error" in outcome) throw outcome.error;
  return outcome.answer;
}

/** Promises of other realms and of query builders are no instances of this one's `Promise`, and are waited for all the same. */
export function isPromiseLike(answer: unknown): answer is PromiseLike<unknown> {
  if (typeof answer !== "object" || answer === null) return false;
  try {
    return "then" in answer && typeof answer.then === "function";
  } catch {
    // Whoever throws when it is looked at is nobody to wait for.
    return false;
  }
}
