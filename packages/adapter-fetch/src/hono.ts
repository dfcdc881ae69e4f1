/** The guard as a middleware of hono. Nothing of hono is imported: what it hands over is enough. */
import type { Engine, Principal } from "@gatehouse/core";
import type { HandlerContext } from "./context.js";
import { Doors } from "./doors.js";
import { GUARD, readsAlike } from "./hono-app.js";
import type { GuardOptions } from "./options.js";
import { pathAndQuery } from "./request.js";
import { failureOf } from "./sent.js";

/** `new Hono<{ Variables: GatehouseVariables }>()`: what handlers find with `c.get`. */
export interface GatehouseVariables {
  gatehouse: HandlerContext;
  principal: Principal | null;
}

/** As much of hono's `Context` as is used. Methods, so that every application's own variables fit. */
export interface HonoContext {
  readonly req: { raw: Request; readonly path: string };
  /** Bindings of the server: `c.env.incoming` on @hono/node-server. */
  env: unknown;
  res: Response;
  /** False: nobody has answered yet. */
  readonly finalized: boolean;
  readonly error: Error | undefined;
  set(key: never, value: never): void;
}

/**
 * Middleware for hono: `app.use(gatehouse(engine, { app }))`, before everything else.
 * @throws TypeError for a wrong option, and where the application routes by something else than the path
 * @throws PolicyError when the policy reads the peer's address and `remoteAddress` is missing
 */
export function gatehouse<C extends HonoContext = HonoContext>(
  engine: Engine,
  options: GuardOptions<[c: C]> = {},
): (c: C, next: () => Promise<void>) => Promise<void> {
  const doors = new Doors(engine, options, true);
  const middleware = async (c: C, next: () => Promise<void>): Promise<void> => {
    let running = false;
    let held = false;
    const answer = await doors.pass(c.req.raw, [c], async (request, context) => {
      if (!context.exchange.observing) mustReadAlike(c, doors.settings.matching.trailingSlash);
      c.req.raw = request;
      set(c, "gatehouse", context);
      set(c, "principal", context.principal);
      running = true;
      await next().finally(() => {
        running = false;
      });
      // What stands there now is the guard's own answer, and not for the handler to hand in.
      return held ? undefined : answered(c, context);
    });
    replace(c, answer);
    held = running;
    if (held) hold(c, answer);
  };
  return Object.assign(middleware, { [GUARD]: true as const });
}

/**
 * hono has answered for whoever threw, and where nobody answered. What it says of a server error leaves in no case; under a body rule
 * its plain text would be no answer either. Both keep their status, and get the policy's words.
 */
function answered(c: HonoContext, { exchange }: HandlerContext): Response {
  // hono would make an answer of nothing when it is asked for one.
  if (!c.finalized) throw new TypeError("the handler returned no Response");
  const { error, res } = c;
  if (exchange.observing) return res;
  if (error !== undefined && res.status >= 500) return failureOf(error, res.status);
  const plain =
    exchange.responseNeedsBody && res.headers.get("content-type")?.startsWith("text/plain") === true;
  if (!plain || res.status < 400) return res;
  if (error !== undefined)
    return failureOf(error, res.status, res.headers.get("www-authenticate") ?? undefined);
  return res.status === 404 ? failureOf(new Error("no handler of the application answered"), 404) : res;
}

/** The route was chosen before any middleware ran: by another reading of the path it would be another one than the policy's. */
function mustReadAlike(c: HonoContext, trailingSlash: string | undefined): void {
  const [pathname = ""] = pathAndQuery(c.req.raw.url).split(/[?#]/, 1);
  if (!readsAlike(c.req.path, pathname, trailingSlash)) throw new Error(READS_OTHERWISE);
}

const READS_OTHERWISE =
  "the application reads this path otherwise than the policy: hand `app` to the guard, or say how it matches in `matching`";

function set(c: HonoContext, key: keyof GatehouseVariables, value: unknown): void {
  c.set(key as never, value as never);
}

/** Assigned over another answer hono would add that one's fields to it. */
function replace(c: HonoContext, answer: Response): void {
  if (c.res === answer) return;
  (c as { res: Response | undefined }).res = undefined;
  c.res = answer;
}

/** Answered while handlers still run: what they, or hono's `onError`, put there later is nobody's answer any more. */
function hold(c: HonoContext, answer: Response): void {
  Object.defineProperty(c, "res", {
    configurable: true,
    get: () => answer,
    set: () => {
      // Dropped.
    },
  });
}
