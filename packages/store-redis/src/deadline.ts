/** Waits for an answer, but not for ever, and not less because this process was busy. */
import { StoreError } from "@gatehouse/core";

/**
 * A busy process fires the timer before it reads the answer that is already in the socket: two turns let that in first.
 * @param late called with what came after the time was over
 * @param again another answer in place of an error, within the same time
 */
export function withDeadline<T>(
  answer: Promise<unknown>,
  milliseconds: number,
  heard: (reply: unknown) => T,
  failed: (error: unknown) => StoreError,
  late: (reply: unknown) => void,
  again: (error: unknown) => Promise<unknown> | undefined = () => undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let over = false;
    const give = (): void => {
      if (over) return;
      over = true;
      reject(failed(new StoreError("timeout", true, "the server did not answer in time")));
    };
    const timer = setTimeout(() => setImmediate(() => setImmediate(give)), milliseconds);
    const answered = (reply: unknown): void => {
      if (over) {
        late(reply);
        return;
      }
      over = true;
      clearTimeout(timer);
      try {
        resolve(heard(reply));
      } catch (error) {
        reject(failed(error));
      }
    };
    const refused = (error: unknown): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      reject(failed(error));
    };
    answer.then(answered, (error: unknown) => {
      const second = over ? undefined : again(error);
      if (second === undefined) refused(error);
      else second.then(answered, refused);
    });
  });
}
