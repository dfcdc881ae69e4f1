/** Prepared keys by algorithm and `kid`. The token chooses among them and can name nothing else. */
import type { SignatureVerifier } from "../../ports/platform.js";

interface Keys {
  readonly byKid: Map<string, SignatureVerifier>;
  /** The key for tokens that name none; null once two would do. */
  sole: SignatureVerifier | null | undefined;
}

export class KeyTable {
  readonly #keys = new Map<string, Keys>();
  readonly #named: boolean;

  /** @param named false for a single PEM or secret, which has no name: a token's `kid` says nothing about it */
  constructor(named: boolean) {
    this.#named = named;
  }

  get empty(): boolean {
    return this.#keys.size === 0;
  }

  add(kid: string | undefined, key: SignatureVerifier): void {
    const keys: Keys = this.#keys.get(key.algorithm) ?? { byKid: new Map(), sole: undefined };
    if (kid !== undefined) keys.byKid.set(kid, key);
    keys.sole = keys.sole === undefined ? key : null;
    this.#keys.set(key.algorithm, keys);
  }

  /**
   * Undefined when no key fits. A token without `kid` is never tried against several keys: who holds the cheapest of
   * them would speak for all, and a refusal would cost many verifications.
   */
  select(algorithm: string, kid: string | undefined): SignatureVerifier | undefined {
    const keys = this.#keys.get(algorithm);
    if (kid === undefined || !this.#named) return keys?.sole ?? undefined;
    return keys?.byKid.get(kid);
  }
}
