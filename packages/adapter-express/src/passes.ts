/**
 * What happens to a request behind the guard: express may only hand it to what the policy decided it for. A rewritten URL or method,
 * or a router that matches in another way than its application, is noticed where every handler of express is called.
 */
import type { ExpressRequest, Layer } from "./express.js";

/** What was decided, carried by the request. */
export interface Decided {
  /** Why this handler must not run; undefined when it may. */
  problemAt(layer: Layer, req: ExpressRequest): string | undefined;
  /** Ends the request; no handler of it runs any more. */
  fail(error: unknown, status?: number): void;
}

const DECIDED = Symbol("gatehouse.decided");
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
 * pay one property read.
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
      if (decided === undefined) return call.call(this, req, res, next);
      const problem = decided.problemAt(this, req);
      if (problem !== undefined) return decided.fail(new Error(problem));
      watchNested(this);
      return call.call(this, req, res, next);
    };
    return;
  }
  throw new Error("this version of express calls its handlers in a way that the guard does not know");
}

/** A router of another copy of express has layers of another prototype. */
function watchNested({ handle }: Layer): void {
  const first = Array.isArray(handle.stack) ? (handle.stack[0] as unknown) : undefined;
  if (typeof first === "object" && first !== null) watchLayers(first as Layer);
}
