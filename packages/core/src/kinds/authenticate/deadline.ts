/** Application code that is waited for, but not for ever. Never rejects. */
import type { Fault } from "../../model/outcome.js";

/** How long a custom authenticator or a lookup may take, in milliseconds. */
export const DEADLINE_MS = 2000;

export type Waited<T> = { readonly value: T } | { readonly fault: Fault };

/** @param late called when the time is over and the answer will not be heard any more */
export function withDeadline<T>(
  promise: PromiseLike<T>,
  rule: string,
  what: string,
  late?: () => void,
): Promise<Waited<T>> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve({
        fault: {
          kind: "fault",
          where: "outside",
          reason: `${what} took longer than ${DEADLINE_MS} ms`,
          rule,
        },
      });
      late?.();
    }, DEADLINE_MS);
    // A `then` of the application's own may throw.
    Promise.resolve(promise).then(
      (value) => {
        clearTimeout(timer);
        resolve({ value });
      },
      (error: unknown) => {
        clearTimeout(timer);
        resolve({ fault: { kind: "fault", where: "code", reason: `${what} threw`, rule, error } });
      },
    );
  });
}
