/**
 * A model of `shed`, written from its paragraph of the language's reference alone: who is let in, given who is in flight, or how late
 * the event loop is.
 */
export interface ShedPolicy {
  readonly signal: "concurrency" | "event-loop";
  readonly mode: "enforce" | "observe";
  /** How many may be in flight. */
  readonly limit: number;
  /** What is kept, by class. */
  readonly shares: { readonly pay?: number; readonly default?: number };
}

/** Routes, and what they write: nothing, a class, `never`, or a class in observe mode. */
export const ROUTES = {
  "/plain": "default",
  "/pay": "pay",
  "/never": "never",
  "/watched": "watched",
} as const;
export type Path = keyof typeof ROUTES;

type Class = "pay" | "default";
const CLASSES: readonly Class[] = ["pay", "default"];

export const TARGET_MS = 50;

export function documentOf({ signal, mode, limit, shares }: ShedPolicy): unknown {
  const open = { authenticate: "none" };
  return {
    gatehouse: 1,
    name: "shed",
    transport: { https: "off" },
    shed: {
      signal,
      mode,
      ...(signal === "concurrency" ? { limit } : { target: `${TARGET_MS}ms` }),
      ...(Object.keys(shares).length > 0 && { classes: shares }),
    },
    routes: {
      "GET /plain": open,
      "GET /pay": { ...open, ...("pay" in shares && { shed: "pay" }) },
      "GET /never": { ...open, shed: "never" },
      "GET /watched": { ...open, mode: "observe", ...("pay" in shares && { shed: "pay" }) },
    },
  };
}

export class ShedModel {
  /** In flight, or admitted in this turn. */
  readonly #count = { pay: 0, default: 0 };
  #late = false;

  constructor(private readonly policy: ShedPolicy) {}

  /** @returns whether it is let in */
  open(path: Path): boolean {
    const name = this.classOf(path);
    if (name === undefined) return true;
    const room = this.policy.signal === "concurrency" ? this.hasPlace(name) : this.hasTurn(name);
    if (room) this.#count[name] += 1;
    return room || this.policy.mode === "observe";
  }

  end(path: Path): void {
    const name = this.classOf(path);
    if (name !== undefined && this.policy.signal === "concurrency") this.#count[name] -= 1;
  }

  /** The turn of the loop lasts longer than the target. */
  late(): void {
    this.#late = true;
  }

  nextTurn(): void {
    this.#late = false;
    if (this.policy.signal === "event-loop") Object.assign(this.#count, { pay: 0, default: 0 });
  }

  /** Undefined: it is not asked, or takes no room of those that are enforced. */
  private classOf(path: Path): Class | undefined {
    const written = ROUTES[path];
    if (written === "never" || written === "watched") return undefined;
    return written === "pay" && this.policy.shares.pay === undefined ? "default" : written;
  }

  /** What is kept for a class is there for it; what is kept for nobody is for all. */
  private hasPlace(name: Class): boolean {
    const { limit } = this.policy;
    const after = { ...this.#count, [name]: this.#count[name] + 1 };
    // With everybody whose place is kept in it, the house is not fuller than it may be.
    const full = CLASSES.reduce((sum, one) => sum + Math.max(after[one], this.kept(one, limit)), 0);
    return full <= limit;
  }

  /** Who comes later in a turn that is too long gets a class's share of what was admitted, or the one of each class. */
  private hasTurn(name: Class): boolean {
    if (!this.#late) return true;
    const admitted = this.#count.pay + this.#count.default;
    return this.#count[name] < Math.max(1, this.kept(name, admitted));
  }

  private kept(name: Class, whole: number): number {
    return Math.floor((this.policy.shares[name] ?? 0) * whole);
  }
}
