/** A value that can be used and cannot be shown: whatever prints, logs, serializes, clones or inspects it gets a placeholder. */
import { utf8 } from "./bytes.js";

const SHOWN = "[secret]";
/** What Node's `util.inspect`, and with it `console.log` and every logger built on it, asks an object for. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

export class Secret {
  /** Private to the class: no reflection, spread, JSON or structured clone reaches it. */
  readonly #bytes: Uint8Array;

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    Object.freeze(this);
  }

  /** @param value is copied: the caller may wipe its own. A secret is itself. */
  static of(value: string | Uint8Array | Secret): Secret {
    if (value instanceof Secret) return value;
    return new Secret(typeof value === "string" ? utf8(value) : Uint8Array.from(value));
  }

  /** The bytes themselves, in a copy. The one way out, so that a search for its name finds every use. */
  reveal(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  get empty(): boolean {
    return this.#bytes.length === 0;
  }

  /** Time depends on the lengths alone. */
  equals(other: Secret): boolean {
    const [a, b] = [this.#bytes, other.#bytes];
    if (a.length !== b.length) return false;
    let difference = 0;
    for (let index = 0; index < a.length; index++) difference |= (a[index] ?? 0) ^ (b[index] ?? 0);
    return difference === 0;
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  /** Template literals and arithmetic. */
  [Symbol.toPrimitive](): string {
    return SHOWN;
  }

  get [Symbol.toStringTag](): string {
    return "Secret";
  }

  [INSPECT](): string {
    return SHOWN;
  }
}
// A getter that is replaced, or a method put beside these, would be the way in.
Object.freeze(Secret.prototype);
Object.freeze(Secret);
