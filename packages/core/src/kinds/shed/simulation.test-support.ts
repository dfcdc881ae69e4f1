/** A process with one thread, in virtual time: turns of an event loop, callers who come back, and a gate between them. */
import type { RequestState } from "../../model/state.js";
import { EventLoopGate } from "./event-loop.js";

export interface Simulation {
  readonly target: number;
  readonly shares: Readonly<Record<string, number>>;
  /** Milliseconds of the thread that a handler takes … */
  readonly handler: number;
  /** … so long after its request came; 0: at once. */
  readonly waits: number;
  /** How many there are, by class. */
  readonly callers: Readonly<Record<string, number>>;
  /** Milliseconds, about, between a caller's answer and its next request. */
  readonly pause: number;
  readonly seconds: number;
}

export interface Simulated {
  /** Part of the time that went into handlers. */
  readonly used: number;
  /** The latest that the loop was. */
  readonly latest: number;
  readonly seen: Readonly<Record<string, { admitted: number; refused: number }>>;
}

const TICK = 10;
/** What a refusal costs, or a head. */
const GLANCE = 0.05;
/** Not looked at: all callers come at once, before anything could be known of them. */
const SETTLING = 2_000;

export function simulate(simulation: Simulation): Simulated {
  const { target, shares, handler, waits, callers, pause, seconds } = simulation;
  let now = 0;
  let ticked = 0;
  let longest = 0;
  const late = (): number => Math.max(0, now - ticked - TICK);
  const gate = new EventLoopGate(target, new Map(Object.entries(shares)), {
    late,
    longest: () => {
      const most = Math.max(longest, late());
      longest = 0;
      return most;
    },
    stop: () => undefined,
  });
  let queue: { readonly at: number; readonly run: () => void }[] = [];
  const seen = Object.fromEntries(Object.keys(callers).map((name) => [name, { admitted: 0, refused: 0 }]));
  let busy = 0;
  let latest = 0;
  const settled = (): boolean => now > SETTLING;
  for (const [name, count] of Object.entries(callers)) {
    const door = gate.door(name);
    const tally = seen[name] ?? { admitted: 0, refused: 0 };
    for (let index = 0; index < count; index += 1) {
      const again = (): void => void queue.push({ at: now + pause * (0.5 + (index % 10) / 10), run: ask });
      const work = (): void => {
        now += handler;
        if (settled()) busy += handler;
        again();
      };
      const ask = (): void => {
        const state = {
          monotonicUs: Math.floor(now * 1000),
          settlements: undefined,
        } as unknown as RequestState;
        now += GLANCE;
        const entered = door.enter(state);
        if (settled()) tally[entered ? "admitted" : "refused"] += 1;
        if (!entered) again();
        else if (waits === 0) work();
        else queue.push({ at: now + waits, run: work });
      };
      queue.push({ at: index * 0.3, run: ask });
    }
  }
  while (now < seconds * 1000) {
    if (now >= ticked + TICK) {
      longest = Math.max(longest, late());
      if (settled()) latest = Math.max(latest, late());
      ticked = now;
    }
    const ready = queue.filter(({ at }) => at <= now);
    queue = queue.filter(({ at }) => at > now);
    for (const { run } of ready.toSorted((a, b) => a.at - b.at)) run();
    if (ready.length === 0) now = Math.min(...queue.map(({ at }) => at), ticked + TICK);
  }
  return { used: busy / (seconds * 1000 - SETTLING), latest, seen };
}
