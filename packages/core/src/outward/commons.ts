/** What policies of one engine have in common: it lives for as long as one of them does that needs it. */
import type { Lifetime } from "../ports/lifetime.js";

interface Share {
  readonly value: object;
  holders: number;
}

export class Commons {
  readonly #shares = new Map<string, Share>();

  /** @param kind what stands under the name: a name says what it is, and nothing else is ever handed out */
  take<Value extends object>(
    name: string,
    kind: abstract new (...given: never[]) => Value,
    make: () => Value,
    lifetime: Lifetime,
  ): Value {
    const left = this.#shares.get(name);
    const value = left?.value instanceof kind ? left.value : make();
    const share = left?.value === value ? left : { value, holders: 0 };
    this.#shares.set(name, share);
    share.holders += 1;
    lifetime.onEnd(() => {
      share.holders -= 1;
      if (share.holders === 0 && this.#shares.get(name) === share) this.#shares.delete(name);
    });
    return value;
  }
}
