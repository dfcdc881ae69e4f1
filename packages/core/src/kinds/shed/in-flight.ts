/**
 * So many requests at once. Of each class its part is kept free: what classes hold, or would hold with their part filled, is never more
 * than the limit. So the limit is never passed, and no class finds its part taken.
 */
import type { RequestState, Settlement } from "../../model/state.js";
import type { InFlight } from "../../ports/load.js";
import { partOf } from "./classes.js";
import type { Door, Gate, GateStatus } from "./gate.js";

interface Part {
  readonly held: InFlight;
  readonly kept: number;
}

export class InFlightGate implements Gate {
  readonly reason: string;
  readonly #parts: ReadonlyMap<string, Part>;

  /** @param inFlight what is counted; classes of a policy before this one among them */
  constructor(
    private readonly limit: number,
    shares: ReadonlyMap<string, number>,
    private readonly inFlight: Map<string, InFlight>,
  ) {
    this.reason = `${limit} requests are in flight, less what is kept for other classes`;
    this.#parts = new Map(
      [...shares].map(([name, share]) => [name, { held: this.heldBy(name), kept: partOf(share, limit) }]),
    );
  }

  door(name: string): Door {
    const part = this.#parts.get(name) ?? { held: this.heldBy(name), kept: 0 };
    const leaving: Settlement = { settle: () => void (part.held.count -= 1) };
    return {
      enter: (state: RequestState): boolean => {
        if (!this.hasRoom(part)) return false;
        part.held.count += 1;
        (state.settlements ??= []).push(leaving);
        return true;
      },
    };
  }

  status(): GateStatus {
    const inFlight = this.total();
    return { shedding: [...this.#parts.values()].some((part) => !this.hasRoom(part)), inFlight };
  }

  /** A policy that was replaced may have let in more than this one would: then nobody comes in until it is less. */
  private hasRoom(part: Part): boolean {
    if (this.total() >= this.limit) return false;
    return part.held.count < part.kept || this.committed() < this.limit;
  }

  private committed(): number {
    let sum = this.total();
    for (const { held, kept } of this.#parts.values()) sum += Math.max(0, kept - held.count);
    return sum;
  }

  private total(): number {
    let sum = 0;
    for (const { count } of this.inFlight.values()) sum += count;
    return sum;
  }

  private heldBy(name: string): InFlight {
    const held = this.inFlight.get(name) ?? { count: 0 };
    this.inFlight.set(name, held);
    return held;
  }
}
