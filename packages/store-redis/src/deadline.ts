/** Waits for an answer, but not for ever, and not less because this process was busy. */
import { StoreError } from "@gatehouse/core";
import { thisTurn } from "./turn.js";

/**
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
    const waiting = thisTurn().wait(milliseconds, () =>
      reject(failed(new StoreError("timeout", true, "the server did not answer in time"))),
    );
    const answered = (reply: unknown): void => {
      if (!waiting.end()) {
        late(reply);
        return;
      }
      try {
        resolve(heard(reply));
      } catch (error) {
        reject(failed(error));
      }
    };
    const refused = (error: unknown): void => {
      if (waiting.end()) reject(failed(error));
    };
    answer.then(answered, (error: unknown) => {
      const second = waiting.over ? undefined : again(error);
      if (second === undefined) refused(error);
      else second.then(answered, refused);
    });
  });
}
