/**
 * What is asked of the store for one caller. Putting a key together costs more than deciding by it, and callers come again and again:
 * for a few thousand of them it is kept. Not for what a caller chooses.
 */
import type { CompiledFact } from "../../conditions/index.js";
import type { RequestState } from "../../model/state.js";
import { memoized } from "../../normalize/memo.js";
import type { LimitOp } from "../../ports/state-store.js";
import { Keys } from "./key.js";
import { opMaker, repeatedOpMaker, type MakeOp } from "./op.js";
import type { Terms } from "./terms.js";

/** What a limit that is taken alone hands to the store. */
export type Ask = readonly [LimitOp];

/** Undefined: a fact is absent, and absent callers do not share a count. */
export type MakeAsk = (state: RequestState) => Ask | undefined;

export interface AsksOptions {
  readonly terms: Terms;
  /** It counts in keys of its own. */
  readonly observe: boolean;
  /** What each request costs; undefined: that depends on the request. */
  readonly price: number | undefined;
  /** This process's part of the limit, always. */
  readonly share: number;
  /** The store may be handed the same op again. */
  readonly repeats: boolean;
  readonly sha256Hex: (text: string) => string;
}

/** Callers of each limit, on all of its routes together. */
const KNOWN = 4096;

/** One limit, observing or not, on whatever routes: there a caller's text stands for the same count. */
export class Asks {
  readonly #keys: Keys;
  readonly #keyOf: (text: string) => string;
  readonly #op: MakeOp;
  readonly #repeated: ((key: string) => Ask) | undefined;
  readonly #askOf: ((text: string) => Ask) | undefined;

  constructor({ terms, observe, price, share, repeats, sha256Hex }: AsksOptions) {
    const keys = new Keys(terms, observe, sha256Hex);
    const make = repeats && price !== undefined ? repeatedOpMaker(terms, share, price) : undefined;
    const repeated = make === undefined ? undefined : (key: string): Ask => [make(key)];
    this.#keys = keys;
    this.#keyOf = memoized(KNOWN, (text) => keys.of(text));
    this.#op = opMaker(terms, share);
    this.#repeated = repeated;
    // Not by `keyOf`: who is not known by the ask is not known by the key either, and both would be kept of callers beyond counting.
    this.#askOf = repeated === undefined ? undefined : memoized(KNOWN, (text) => repeated(keys.of(text)));
  }

  maker(facts: readonly CompiledFact[], cost: (state: RequestState) => number): MakeAsk {
    const [first] = facts;
    if (first === undefined) return this.#always(cost);
    if (facts.length === 1 && !first.callerChosen) return this.#byOne(first, cost);
    const read = this.#keys.reader(facts);
    return (state) => this.#fresh(read(state), cost, state);
  }

  #always(cost: (state: RequestState) => number): MakeAsk {
    const { prefix } = this.#keys;
    const ask = this.#repeated?.(prefix);
    return ask === undefined ? (state) => this.#fresh(prefix, cost, state) : () => ask;
  }

  #byOne(fact: CompiledFact, cost: (state: RequestState) => number): MakeAsk {
    const { missing } = this.#keys;
    const askOf = this.#askOf;
    const keyOf = this.#keyOf;
    if (askOf === undefined) {
      return (state) => {
        const text = fact.read(state);
        return this.#fresh(text === undefined ? missing : keyOf(text), cost, state);
      };
    }
    const absent = missing === undefined ? undefined : this.#repeated?.(missing);
    return (state) => {
      const text = fact.read(state);
      return text === undefined ? absent : askOf(text);
    };
  }

  #fresh(
    key: string | undefined,
    cost: (state: RequestState) => number,
    state: RequestState,
  ): Ask | undefined {
    return key === undefined ? undefined : [this.#op(key, cost(state), state)];
  }
}
