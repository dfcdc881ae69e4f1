/** Waits for a store, but not for ever. Never rejects: what went wrong is a value. */
import { StoreError } from "../../ports/state-store.js";

export interface Failed {
  readonly error: unknown;
}

/** @param late called with what came after the time was over */
export function withDeadline<T>(
  promise: PromiseLike<unknown>,
  milliseconds: number,
  heard: (answer: unknown) => T,
  failed: (error: unknown) => T,
  late: (answer: unknown) => void,
): Promise<T> {
  return new Promise((resolve) => {
    let over = false;
    const give = (): void => {
      over = true;
      resolve(failed(new StoreError("timeout", true, "the store did not answer in time")));
    };
    // A busy process fires the timer before it reads the answer that is already there: two turns let that in first.
    let timer = setTimeout(() => {
      timer = setTimeout(() => {
        timer = setTimeout(give, 0);
      }, 0);
    }, milliseconds);
    promise.then(
      (answer) => {
        if (over) return late(answer);
        clearTimeout(timer);
        resolve(heard(answer));
      },
      (error: unknown) => {
        if (over) return;
        clearTimeout(timer);
        resolve(failed(error));
      },
    );
  });
}
