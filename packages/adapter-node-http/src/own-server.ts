/** Servers that a framework made: the guard is somewhere inside their request listener, and still nothing may pass beside it. */
import type { EventEmitter } from "node:events";
import { markGuard, problemOf, refuseStrangers } from "./servers.js";
import type { NodeRequest, NodeResponse } from "./types.js";

/** Requests whose client still waits for 100, which Node would have sent by itself. */
const EXPECTING = new WeakSet<object>();
const OWNED = new WeakSet<EventEmitter>();
const NOTHING = new Map<string, unknown>();

/** Hands on to the listeners of `request`, where the framework and its guard are. */
function toRequest(this: EventEmitter, req: NodeRequest, res: NodeResponse): void {
  this.emit("request", req, res);
}

const checkContinue = markGuard(function (this: EventEmitter, req: NodeRequest, res: NodeResponse): void {
  EXPECTING.add(req);
  toRequest.call(this, req, res);
});
const checkExpectation = markGuard(function (this: EventEmitter, req: NodeRequest, res: NodeResponse): void {
  toRequest.call(this, req, res);
});

/**
 * Makes a framework's server answer to the guard in its middleware alone: `100 Continue` waits for the decision, other expectations are
 * the policy's (417), and a listener that would answer undecided requests is refused, now and later. Upgrades are
 * `guardUpgrade`'s. Call it before the server listens.
 * @throws Error when something else listens there already, or the server parses leniently
 */
export function ownServer<S extends EventEmitter>(server: S): S {
  const problem = serverProblem(server);
  if (problem !== undefined) throw new Error(problem);
  if (OWNED.has(server)) return server;
  OWNED.add(server);
  server.on("checkContinue", checkContinue).on("checkExpectation", checkExpectation);
  // Which listener of `request` is the framework's is not known here: one that comes later shows with its first request.
  refuseStrangers(server, NOTHING, ["request"]);
  return server;
}

/**
 * Why a server on which a guard is one middleware of a request listener does not only answer decided requests; undefined when it does.
 * For adapters: ask when the first request of a server comes, and answer 500 where there is a problem.
 */
export function serverProblem(server: EventEmitter): string | undefined {
  return problemOf(server, NOTHING, false);
}

/** True where the client waits for 100 and nobody has sent it. */
export function isExpecting(req: NodeRequest): boolean {
  return EXPECTING.has(req);
}
