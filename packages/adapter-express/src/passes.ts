/**
 * What happens to a request behind the guard: express may only hand it to what the policy decided it for. A rewritten URL or method,
 * or a router that matches in another way than its application, is noticed where every handler of express is called.
 */
import { nestedRouter, type ExpressRequest, type Layer, type Router } from "./express.js";

/** What was decided, carried by the request. */
export interface Decided {
  /** Why this handler must not run; undefined when it may. */
  problemAt(layer: Layer, req: ExpressRequest): string | undefined;
  /** Ends the request; no handler of it runs any more. */
  fail(error: unknown, status?: number): void;
}

export const DECIDED = Symbol("gatehouse.decided");
const WATCHED = new WeakSet<object>();

interface Marked {
  [DECIDED]?: Decided;
}

export function markDecided(req: ExpressRequest, decided: Decided): void {
  (req as Marked)[DECIDED] = decided;
}

/** Undefined where no guard enforced a decision: in front of it, and in observe mode. */
export function decidedOf(req: ExpressRequest): Decided | undefined {
  return (req as Marked)[DECIDED];
}

type Call = (this: Layer, req: ExpressRequest, res: unknown, next: unknown) => unknown;
/** Express 5, express 4. */
const CALLS = ["handleRequest", "handle_request"] as const;

/**
 * Puts the check where all layers of this copy of express are called: on their prototype, once. Requests of other applications
 * pay a few property reads.
 * @throws Error where layers have no such method: an express that nobody has tried this with
 */
export function watchLayers(layer: Layer): void {
  const prototype = Object.getPrototypeOf(layer) as Record<string, Call | undefined>;
  if (WATCHED.has(prototype)) return;
  for (const name of CALLS) {
    const call = prototype[name];
    if (typeof call !== "function") continue;
    WATCHED.add(prototype);
    prototype[name] = function (this: Layer, req, res, next) {
      const decided = (req as Marked)[DECIDED];
      if (decided === undefined) {
        // The guard may stand in there.
        const first = firstNested(this);
        if (first !== undefined && hasCall(first)) watchLayers(first);
        return call.call(this, req, res, next);
      }
      const problem = decided.problemAt(this, req);
      if (problem !== undefined) return decided.fail(new Error(problem));
      const first = firstNested(this);
      if (first !== undefined) watchLayers(first);
      return call.call(this, req, res, next);
    };
    return;
  }
  throw new Error("this version of express calls its handlers in a way that the guard does not know");
}

/** All that is registered already: the guard may stand in a router of another copy of express, and be asked by it first. */
export function watchRouter({ stack }: Router): void {
  for (const layer of stack) {
    if (hasCall(layer)) watchLayers(layer);
    const nested = nestedRouter(layer);
    if (nested !== undefined) watchRouter(nested);
  }
}

/** A router of another copy of express has layers of another prototype. */
function firstNested(layer: Layer): Layer | undefined {
  return nestedRouter(layer)?.stack[0];
}

function hasCall(layer: Layer): boolean {
  return CALLS.some((name) => typeof (layer as unknown as Record<string, unknown>)[name] === "function");
}
