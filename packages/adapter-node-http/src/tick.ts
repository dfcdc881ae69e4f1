/**
 * One of the objects that Node makes for each `process.nextTick`, kept for good.
 *
 * In Node 20 V8 remembers at the place where they are made which hidden class they had. A collection of all garbage that comes while a
 * process is young finds no such object, takes the class away, and the next one has another: from then on each is made in V8's runtime,
 * which is four to ten of them with every request, and up to a tenth of the processor's time. As long as one lives its class does.
 */
import { executionAsyncResource } from "node:async_hooks";

interface Tick {
  readonly callback?: unknown;
  [held: symbol]: unknown;
}

/** @param keep is given the object, without what it holds */
export function keepTick(keep: (tick: object) => void): void {
  const take = (): void => {
    const tick = executionAsyncResource() as Tick;
    // Called by what stands in for `nextTick`, a test's clock: the object at hand is another's, a socket's perhaps, and must stay whole.
    if (tick.callback !== take) return;
    // What an AsyncLocalStorage holds where this is loaded, a request's perhaps, is not kept with it. Its class stays.
    for (const key of Object.getOwnPropertySymbols(tick)) {
      if (typeof tick[key] === "object") tick[key] = undefined;
    }
    keep(tick);
  };
  process.nextTick(take);
}
