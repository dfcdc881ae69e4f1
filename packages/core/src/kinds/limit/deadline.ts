/** Waits for a store, but not for ever. What goes wrong there is a value; it rejects only where `heard` or `failed` throw. */
import { StoreError } from "../../ports/state-store.js";

/** @param late called with what came after the time was over */
export function withDeadline<T>(
  promise: PromiseLike<unknown>,
  milliseconds: number,
  heard: (answer: unknown) => T,
  failed: (error: unknown) => T,
  late: (answer: unknown) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
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
