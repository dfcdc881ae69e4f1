/**
 * Where requests end that no handler of the application answered. Express's own last handler writes HTML, and outside of production
 * the stack trace into it.
 */
import type { App, ExpressRequest, ExpressResponse, Next } from "./express.js";
import { rootOf, routerOf } from "./express.js";
import { decidedOf } from "./passes.js";
import { makeRoom } from "./room.js";

const LAST = Symbol("gatehouse.last");
const OWNED = new WeakSet<App>();
const TAILED = new WeakSet<App>();

interface Marked {
  /** True: express's own last handler would answer. False: whoever called the application wants to hear of it. */
  [LAST]?: boolean;
}

/** From now on what falls out of the application is the policy's to answer, once a guard has decided the request. */
export function ownEnding(app: App): void {
  const root = rootOf(app);
  if (OWNED.has(root)) return;
  OWNED.add(root);
  const { handle } = root;
  root.handle = function (req, res, done) {
    const isNew = (req as Marked)[LAST] === undefined;
    (req as Marked)[LAST] = done === undefined;
    if (isNew) makeRoom(root, req, res);
    return handle.call(this, req, res, done);
  };
  const router = routerOf(root);
  const route = router.handle;
  router.handle = function (req, res, done) {
    const last = (req as Marked)[LAST] === true;
    // Only of the outermost call: an application may hand the request to itself.
    (req as Marked)[LAST] = false;
    return route.call(this, req, res, last && done !== undefined ? endOf(req, res, done) : done);
  };
}

/** For requests that were under way when their application was first seen: the guard stands in a router. */
export function endUnderWay(req: ExpressRequest): void {
  if ((req as Marked)[LAST] !== undefined || req.app === undefined) return;
  const root = rootOf(req.app);
  if (TAILED.has(root)) return;
  TAILED.add(root);
  const own = (one: ExpressRequest): boolean => (one as Marked)[LAST] === undefined;
  root.use((one: ExpressRequest, res: ExpressResponse, next: Next) =>
    own(one) ? endOf(one, res, next)() : next(),
  );
  root.use((error: unknown, one: ExpressRequest, res: ExpressResponse, next: Next) =>
    own(one) ? endOf(one, res, next)(error) : next(error),
  );
}

function endOf(req: ExpressRequest, res: ExpressResponse, done: Next): Next {
  return (error) => {
    const decided = decidedOf(req);
    if (decided === undefined) return done(error);
    if (!error) {
      // Somebody answers and calls `next` too: the answer is the answer.
      if (!res.headersSent) decided.fail(undefined, 404);
      return;
    }
    decided.fail(error, statusOf(error) ?? statusOf(res) ?? 500);
  };
}

/** As express reads it: an error's own status, else the one that the handler had set. */
function statusOf(carrier: unknown): number | undefined {
  const { status, statusCode } = Object(carrier) as { status?: unknown; statusCode?: unknown };
  return [status, statusCode].find((one): one is number => isError(one));
}

function isError(status: unknown): boolean {
  return typeof status === "number" && status >= 400 && status < 600;
}
