/**
 * Slots that could not be given back while the server was away, or of which nobody knows whether they were lent. Giving back twice
 * changes nothing, so unlike a take it may be tried again; what is lost here ends with its lease.
 */
import type { LimitOp } from "@gatehouse/core";
import type { MonotonicUs } from "./clock.js";

export type LeaseOp = Extract<LimitOp, { kind: "lease" }>;

const MOST = 4096;
const AT_ONCE = 64;

interface Debt {
  readonly op: LeaseOp;
  /** From then on others come first: it has ended by itself, but where a server that hung lends only when it goes on. */
  readonly endsUs: number;
}

export class Owed {
  readonly #debts = new Map<string, Debt>();
  #paying = false;

  /** @param release answers with those that could not be given back, which a node of a cluster that is away does not keep the others from */
  constructor(
    private readonly release: (ops: readonly LeaseOp[]) => Promise<readonly LeaseOp[]>,
    private readonly now: MonotonicUs,
  ) {}

  get size(): number {
    return this.#debts.size;
  }

  add(ops: readonly LimitOp[]): void {
    for (const op of ops) {
      if (op.kind !== "lease") continue;
      if (this.#debts.size >= MOST) this.#makeRoom();
      if (this.#debts.size >= MOST) return;
      this.#debts.set(nameOf(op), { op, endsUs: this.now() + op.leaseUs });
    }
  }

  async pay(): Promise<void> {
    if (this.#paying) return;
    this.#paying = true;
    try {
      const all = [...this.#debts.values()];
      for (let at = 0; at < all.length; at += AT_ONCE) {
        const some = all.slice(at, at + AT_ONCE);
        const left = new Set(await this.release(some.map(({ op }) => op)));
        for (const debt of some) if (!left.has(debt.op)) this.#paid(debt);
      }
    } finally {
      this.#paying = false;
    }
  }

  /** What was owed once more in the meantime still is. */
  #paid(debt: Debt): void {
    const name = nameOf(debt.op);
    if (this.#debts.get(name) === debt) this.#debts.delete(name);
  }

  #makeRoom(): void {
    const nowUs = this.now();
    for (const [name, { endsUs }] of this.#debts) if (endsUs <= nowUs) this.#debts.delete(name);
  }
}

function nameOf({ key, holder }: LeaseOp): string {
  return JSON.stringify([key, holder]);
}
