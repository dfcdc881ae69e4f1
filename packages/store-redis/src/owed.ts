/**
 * Slots that could not be given back while the server was away. Giving back twice changes nothing, so unlike a take it may be tried
 * again; what is lost here ends with its lease.
 */
import type { LimitOp } from "@gatehouse/core";

export type LeaseOp = Extract<LimitOp, { kind: "lease" }>;

const MOST = 4096;
const AT_ONCE = 64;

export class Owed {
  readonly #ops = new Map<string, LeaseOp>();
  #paying = false;

  /** @param release rejects where the server is away */
  constructor(private readonly release: (ops: readonly LeaseOp[]) => Promise<unknown>) {}

  get size(): number {
    return this.#ops.size;
  }

  add(ops: readonly LimitOp[]): void {
    for (const op of ops) {
      if (op.kind !== "lease" || this.#ops.size >= MOST) continue;
      this.#ops.set(JSON.stringify([op.key, op.holder]), op);
    }
  }

  async pay(): Promise<void> {
    if (this.#paying) return;
    this.#paying = true;
    try {
      while (this.#ops.size > 0) {
        const some = [...this.#ops].slice(0, AT_ONCE);
        await this.release(some.map(([, op]) => op));
        for (const [name] of some) this.#ops.delete(name);
      }
    } catch {
      // The next beat, or the server's return, tries again.
    } finally {
      this.#paying = false;
    }
  }
}
