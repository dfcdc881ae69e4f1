/**
 * Nonces that a server hands out and keeps no list of (RFC 9449 section 9): each is a keyed hash of the time in which it was made,
 * so every instance with the same key knows them all.
 */
import { encodeBase64Url } from "../../lib/base64url.js";
import { utf8 } from "../../lib/bytes.js";
import type { Platform } from "../../ports/platform.js";

type Tools = Pick<Platform, "hmacSha256" | "equalInConstantTime">;

/** 144 bits: nobody guesses one, and in base64url there is nothing to pad. */
const NONCE_BYTES = 18;

export class DpopNonces {
  readonly #nonces = new Map<number, string>();

  /** @param former those under keys that this one replaced: admitted, and handed out no more */
  constructor(
    private readonly key: Uint8Array,
    private readonly lifeMs: number,
    private readonly tools: Tools,
    private readonly former: readonly DpopNonces[] = [],
  ) {}

  current(now: number): string {
    return this.#nonceOf(this.#period(now));
  }

  /** Of this time, the one before, and the next: the clock of another instance may already be there. */
  admits(nonce: string, now: number): boolean {
    const period = this.#period(now);
    const given = utf8(nonce);
    const own = [period, period - 1, period + 1].some((one) =>
      this.tools.equalInConstantTime(given, utf8(this.#nonceOf(one))),
    );
    return own || this.former.some((one) => one.admits(nonce, now));
  }

  #period(now: number): number {
    return Math.floor(now / this.lifeMs);
  }

  #nonceOf(period: number): string {
    const known = this.#nonces.get(period);
    if (known !== undefined) return known;
    const mac = this.tools.hmacSha256(this.key, `dpop-nonce ${this.lifeMs} ${period}`);
    const nonce = encodeBase64Url(mac.subarray(0, NONCE_BYTES));
    if (this.#nonces.size >= 8) this.#nonces.clear();
    this.#nonces.set(period, nonce);
    return nonce;
  }
}
