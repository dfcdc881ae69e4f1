/** Looks for exchanges that show what an aspect lets through: those of a pool first, then those that the aspect is about. */
import type { PolicyDocument } from "@gatehouse/core";
import type { ResolvedRoute } from "@gatehouse/core/analysis";
import {
  arbitrariesFor,
  type FastCheck,
  type GeneratedRequest,
  type PolicyArbitraries,
} from "@gatehouse/core/testing/properties";
import { candidatesFor, pathOf } from "./candidates.js";
import type { Candidate, Duel, Exchange } from "./duel.js";
import { evidence } from "./evidence.js";
import type { Judged } from "./rules.js";
import { limited, limitEvidence, sequencesFor } from "./sequences.js";
import type { Aspect, Pair, Side } from "./model.js";

/** An exchange, or the last of a sequence of them, that shows one direction. */
export interface Witness {
  readonly exchange: Exchange;
  /** Requests before it, and how long passed before each. */
  readonly before: readonly { readonly exchange: Exchange; readonly wait: number }[];
  readonly wait: number;
}

export interface Found {
  readonly wider: Witness | undefined;
  readonly narrower: Witness | undefined;
}

export interface Wanted {
  readonly wider: boolean;
  readonly narrower: boolean;
}

/** How many requests of each kind are drawn for a route. */
const DRAWN = { fitting: 5, misses: 12 };

/** Requests in all sequences for one route. */
const MOST_STEPS = 6000;

/** Sides differ, or both are at the end: what follows tells no more. */
function isTelling({ old, new: fresh }: Exchange): boolean {
  return old.refusedAt !== fresh.refusedAt || (limited(old) && limited(fresh));
}

export class Search {
  readonly #pools = new Map<Pair, Promise<readonly Exchange[]>>();
  readonly #drawings = new Map<ResolvedRoute, readonly GeneratedRequest[]>();
  readonly #arbitraries: Readonly<Record<Side["name"], PolicyArbitraries>>;

  constructor(
    private readonly duel: Duel,
    private readonly fc: FastCheck,
    old: PolicyDocument,
    fresh: PolicyDocument,
  ) {
    this.#arbitraries = { old: arbitrariesFor(old, fc), new: arbitrariesFor(fresh, fc) };
  }

  async find(aspect: Aspect, pair: Pair, wanted: Wanted, judged: readonly Judged[]): Promise<Found> {
    const found: { wider: Witness | undefined; narrower: Witness | undefined } = {
      wider: undefined,
      narrower: undefined,
    };
    const done = (): boolean =>
      (!wanted.wider || found.wider !== undefined) && (!wanted.narrower || found.narrower !== undefined);
    const look = (exchange: Exchange): void => {
      const shown = evidence(aspect, pair, exchange);
      const witness: Witness = { exchange, before: [], wait: 0 };
      if (shown.wider) found.wider = better(found.wider, witness, "new");
      if (shown.narrower) found.narrower = better(found.narrower, witness, "old");
    };
    const pool = await this.#pool(pair);
    for (const exchange of pool) look(exchange);
    if (done()) return found;
    const models = judged.flatMap((one) => one.models);
    for (const base of aspect === "response" ? [...basesIn(pool), ...callersIn(pool)] : basesIn(pool)) {
      for (const candidate of candidatesFor(aspect, pair, base, models)) {
        const exchange = await this.duel.glance(candidate);
        if (exchange !== undefined) look(exchange);
        if (done()) return found;
      }
      if (aspect === "limits") return this.#limits(pair, base, found);
    }
    return found;
  }

  async #limits(pair: Pair, base: Candidate, found: Found): Promise<Found> {
    let { wider, narrower } = found;
    const sequences = [...sequencesFor(pair, base)];
    // A small limit is met soon: what is long then is only more of the same.
    let budget = Math.min(MOST_STEPS, 8 * (sequences[0]?.length ?? 0) + 100);
    for (const steps of sequences) {
      if (steps.length > budget || (wider !== undefined && narrower !== undefined)) break;
      const exchanges = await this.duel.follow(steps, isTelling);
      budget -= exchanges.length;
      const shown = limitEvidence(pair, exchanges);
      const exchange = exchanges.at(-1);
      if (exchange === undefined) continue;
      const before = exchanges.slice(0, -1).map((one, at) => ({ exchange: one, wait: steps[at]?.wait ?? 0 }));
      const witness: Witness = { exchange, before, wait: steps[exchanges.length - 1]?.wait ?? 0 };
      if (shown.wider) wider ??= witness;
      if (shown.narrower) narrower ??= witness;
    }
    return { wider, narrower };
  }

  #pool(pair: Pair): Promise<readonly Exchange[]> {
    const known = this.#pools.get(pair) ?? this.#drawn(pair);
    this.#pools.set(pair, known);
    return known;
  }

  async #drawn(pair: Pair): Promise<readonly Exchange[]> {
    const exchanges: Exchange[] = [];
    for (const candidate of [...this.#samples(pair.old, pair), ...this.#samples(pair.new, pair)]) {
      const exchange = await this.duel.glance(candidate);
      if (exchange !== undefined) exchanges.push(exchange);
    }
    return exchanges;
  }

  #samples(side: Side, pair: Pair): readonly Candidate[] {
    const cells = pair.cells.slice(0, 3).map((cell): Candidate => ({
      by: side.name,
      request: { method: cell.method, target: pathOf(cell) },
    }));
    if (!side.matched) return cells;
    return [...this.#drawing(side).map((one, at) => placed(one, side, pair, at)), ...cells];
  }

  /** Of each route once, in however many rows it stands. */
  #drawing({ name, route }: Side): readonly GeneratedRequest[] {
    const known = this.#drawings.get(route);
    if (known !== undefined) return known;
    const { requests, nearMisses } = this.#arbitraries[name];
    const draw = (
      arbitrary: (key: string) => ReturnType<PolicyArbitraries["requests"]>,
      count: number,
    ): readonly GeneratedRequest[] => {
      try {
        return this.fc.sample(arbitrary(route.key), { numRuns: count, seed: 1 });
      } catch (error) {
        // Nobody can be made whom the route lets in.
        if (error instanceof TypeError) return [];
        throw error;
      }
    };
    const drawn = [...draw(requests, DRAWN.fitting), ...draw(nearMisses, DRAWN.misses)];
    this.#drawings.set(route, drawn);
    return drawn;
  }
}

/** Where routes were moved, only some paths belong to the row. */
function placed({ as, request }: GeneratedRequest, side: Side, pair: Pair, at: number): Candidate {
  const whole = pair.old.matched && pair.new.matched && pair.old.route.key === pair.new.route.key;
  const cell = whole ? undefined : pair.cells[at % pair.cells.length];
  return {
    by: side.name,
    person: as,
    request: cell === undefined ? request : { ...request, method: cell.method, target: pathOf(cell) },
  };
}

/** One that is admitted says more than one that is refused elsewhere. */
function better(known: Witness | undefined, witness: Witness, winner: "old" | "new"): Witness {
  if (known === undefined) return witness;
  const admitted = (one: Witness): boolean =>
    one.exchange[winner].result.outcome === "admit" && one.exchange[winner].refusedAt === undefined;
  return !admitted(known) && admitted(witness) ? witness : known;
}

/** Who is let in by both, each once: what leaves may depend on who asks. */
function callersIn(pool: readonly Exchange[]): readonly Candidate[] {
  const good = pool.filter(
    ({ old, new: fresh }) => old.refusedAt === undefined && fresh.refusedAt === undefined,
  );
  const callers = new Map(good.map(({ candidate }) => [JSON.stringify(candidate.person), candidate]));
  return [...callers.values()].slice(0, 6);
}

/** Good requests to be changed: admitted by both, else by one, else whatever came furthest. */
function basesIn(pool: readonly Exchange[]): readonly Candidate[] {
  const score = ({ old, new: fresh }: Exchange): number =>
    [old, fresh].reduce(
      (sum, { result, refusedAt }) =>
        sum + (refusedAt === undefined && result.outcome === "admit" ? 100 : result.trace.length),
      0,
    );
  const sorted = [...pool].sort((a, b) => score(b) - score(a));
  const [best] = sorted;
  const methods = new Map<string, Candidate>();
  for (const { candidate } of sorted) {
    const method = candidate.request.method ?? "GET";
    if (!methods.has(method)) methods.set(method, candidate);
  }
  const others = sorted.slice(1, 3).map(({ candidate }) => candidate);
  return best === undefined ? [] : [...new Set([best.candidate, ...methods.values(), ...others])].slice(0, 4);
}
