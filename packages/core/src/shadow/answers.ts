/** Answers of the application's code: written down while a request is served, and given again to the policy in shadow. */
import { canonicalJson } from "../lib/canonical-json.js";
import { isPromiseLike } from "../lib/deadline.js";
import type { Answers } from "../model/state.js";

interface Written {
  readonly what: string;
  /** Undefined where the input is nothing that could be compared. */
  readonly input: string | undefined;
  readonly answer: { readonly value: unknown } | { readonly thrown: unknown };
  /** False while a promise has not been kept. */
  settled: boolean;
}

/** Calls are made as ever. What was asked is kept as text: by the time it is compared the handler may have changed the objects. */
export class WrittenAnswers implements Answers {
  readonly written: Written[] = [];

  ask(what: string, input: unknown, call: () => unknown): unknown {
    const text = textOf(input);
    try {
      const value = call();
      // Taken up once: there are thenables that do their work anew for everybody who waits.
      const held = isPromiseLike(value) ? Promise.resolve(value) : value;
      const entry: Written = {
        what,
        input: text,
        answer: { value: held },
        settled: !(held instanceof Promise),
      };
      this.written.push(entry);
      if (held instanceof Promise) {
        const settle = (): void => void (entry.settled = true);
        held.then(settle, settle);
      }
      return held;
    } catch (error) {
      this.written.push({ what, input: text, answer: { thrown: error }, settled: true });
      throw error;
    }
  }
}

/** Nothing is called. What was not asked, or not about the same, is not known. */
export class GivenAnswers implements Answers {
  /** What would have had to be asked. */
  unknown: string | undefined = undefined;

  constructor(private readonly written: readonly Written[]) {}

  ask(what: string, input: unknown): unknown {
    const text = textOf(input);
    const found = this.written.find(
      (one) => one.settled && one.what === what && text !== undefined && one.input === text,
    );
    if (found === undefined) {
      this.unknown ??= `\`${what}\``;
      throw new Error("not asked");
    }
    if ("thrown" in found.answer) throw found.answer.thrown;
    return found.answer.value;
  }
}

function textOf(input: unknown): string | undefined {
  try {
    return canonicalJson(input);
  } catch {
    return undefined;
  }
}
