/** The counters of one test: compiling a policy once for many tests needs a store that can be emptied. */
import {
  createMemoryStore,
  type CallContext,
  type LimitOp,
  type StateStore,
  type StoreHealth,
  type TakeResult,
  type TakeToken,
} from "../index.js";

type Eventually<T> = T | Promise<T>;

export class FreshStore implements StateStore {
  readonly scope = "process";
  readonly repeats = true;
  #inner = emptyStore();
  /** Most tests meet no limit, and a new store takes more time than their whole exchange. */
  #isEmpty = true;

  /** What exchanges of before still settle is settled nowhere. */
  empty(): void {
    if (this.#isEmpty) return;
    this.#inner = emptyStore();
    this.#isEmpty = true;
  }

  start(signal: AbortSignal): Eventually<void> {
    return this.#inner.start(signal);
  }

  take(group: string, ops: readonly LimitOp[], context: CallContext): Eventually<TakeResult> {
    this.#isEmpty = false;
    return this.#inner.take(group, ops, context);
  }

  settle(
    group: string,
    token: TakeToken,
    deltas: readonly (number | undefined)[],
    context: CallContext,
  ): Eventually<void> {
    return this.#inner.settle(group, token, deltas, context);
  }

  peek(group: string, ops: readonly LimitOp[], context: CallContext): Eventually<TakeResult> {
    return this.#inner.peek(group, ops, context);
  }

  renew(group: string, token: TakeToken, context: CallContext): Eventually<boolean> {
    return this.#inner.renew(group, token, context);
  }

  once(key: string, ttlUs: number, context: CallContext): Eventually<boolean> {
    this.#isEmpty = false;
    return this.#inner.once(key, ttlUs, context);
  }

  get(key: string, context: CallContext): Eventually<Uint8Array | undefined> {
    return this.#inner.get(key, context);
  }

  set(key: string, value: Uint8Array, ttlUs: number, context: CallContext): Eventually<void> {
    this.#isEmpty = false;
    return this.#inner.set(key, value, ttlUs, context);
  }

  del(key: string, context: CallContext): Eventually<void> {
    return this.#inner.del(key, context);
  }

  get log(): StateStore["log"] {
    return this.#inner.log;
  }

  health(): StoreHealth {
    return this.#inner.health();
  }

  close(): Eventually<void> {
    return this.#inner.close();
  }
}

/** More keys than a test will ever have, and few enough that a store for each test costs next to nothing. */
const KEYS = 256;

function emptyStore(): StateStore {
  // The seed of the sketches is no secret here, and the same run comes out the same.
  return createMemoryStore({ maxKeys: KEYS, seed: [1, 2] });
}
