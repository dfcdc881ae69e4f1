/** The guard on one application: bound to how it matches, checked before it answers, and its word on every handler that may run. */
import type { EventEmitter } from "node:events";
import type { BoundEngine, Engine } from "@gatehouse/core";
import { serverProblem, type HandlerContext } from "@gatehouse/node-http";
import { isExpress4, routerOf, type App, type ExpressRequest, type Layer } from "./express.js";
import { inventoryOf, problemsOf, type ExpressInventory } from "./inventory.js";
import { frameworkMatching, matchingOf, refuseTrustProxy, type Matching } from "./matching.js";
import type { GatehouseSettings } from "./options.js";
import type { Decided } from "./passes.js";
import { Reach } from "./reach.js";
import { routesOf } from "./routes.js";
import { isTarget, originOf } from "./target.js";

export class Binding {
  readonly bound: BoundEngine;
  private readonly matching: Matching;
  private readonly reach: Reach;
  private started = false;
  private problem: Error | undefined = undefined;
  private told = false;
  /** The one that the last request came from: two are rare, and asking a table would cost each request. */
  private server: EventEmitter | undefined = undefined;
  private broken = false;
  private readonly guardable = new WeakMap<EventEmitter, boolean>();

  /** @throws PolicyError when two routes cannot be told apart as this application matches; Error for a setting that conflicts */
  constructor(
    engine: Engine,
    private readonly app: App,
    private readonly settings: GatehouseSettings,
    private readonly isGuard: (layer: Layer) => boolean,
  ) {
    refuseTrustProxy(app);
    this.matching = matchingOf(routerOf(app));
    this.bound = engine.bind(frameworkMatching(this.matching, isExpress4(app)));
    this.reach = new Reach(this.bound, app, isGuard);
  }

  /**
   * When everything is registered: before the server listens, or with its first request.
   * @throws Error when the application cannot be guarded, or in strict mode has other routes than the policy
   */
  start(): void {
    if (!this.started) {
      this.started = true;
      this.problem = this.problemAtStart();
    }
    if (this.problem !== undefined) throw this.problem;
  }

  /** True where every request is answered 500: the reason was told to `onError`, once. */
  isBroken({ socket }: ExpressRequest): boolean {
    const { server } = socket as { server?: EventEmitter };
    if (!this.started || server !== this.server) {
      this.server = server;
      this.broken = !this.isStarted() || (server !== undefined && !this.isGuardable(server));
    }
    return this.broken;
  }

  private isStarted(): boolean {
    try {
      this.start();
      return true;
    } catch (error) {
      if (!this.told) this.settings.onError(error);
      this.told = true;
      return false;
    }
  }

  /** One application may stand behind several servers, and each is judged for itself. */
  private isGuardable(server: EventEmitter): boolean {
    const known = this.guardable.get(server);
    if (known !== undefined) return known;
    const problem = serverProblem(server);
    this.guardable.set(server, problem === undefined);
    if (problem !== undefined) this.settings.onError(new Error(problem));
    return problem === undefined;
  }

  inventory(): ExpressInventory {
    return inventoryOf(this.bound, routesOf(this.app, this.isGuard), this.matching);
  }

  /** What `req` was admitted as, for as long as it goes through express. */
  decided({ method = "", originalUrl = "" }: ExpressRequest, context: HandlerContext): Decided {
    return new Admitted(this.reach, this.app, method, originalUrl, context);
  }

  private problemAtStart(): Error | undefined {
    try {
      refuseTrustProxy(this.app);
    } catch (error) {
      return error as Error;
    }
    const { inventory, onError } = this.settings;
    if (inventory === "off") return undefined;
    const problems = problemsOf(this.inventory());
    if (problems.length === 0) return undefined;
    const error = new Error(`the application and the policy have different routes:\n${problems.join("\n")}`);
    if (inventory === "strict") return error;
    onError(error);
    return undefined;
  }
}

/** A class, because one is made for each request and asked at each handler. */
class Admitted implements Decided {
  private readonly origin: string;

  constructor(
    private readonly reach: Reach,
    private readonly app: App,
    private readonly method: string,
    private readonly target: string,
    private readonly context: HandlerContext,
  ) {
    this.origin = originOf(target);
  }

  problemAt(layer: Layer, req: ExpressRequest): string | undefined {
    const { method, context } = this;
    if (req.method !== method || !isTarget(req, this.target, this.origin)) return REWRITTEN;
    if (layer.route === undefined || context.route === null) return undefined;
    return this.reach.allows(layer.route, method, context.route, req.app ?? this.app) ? undefined : ANOTHER;
  }

  fail(error: unknown, status?: number): void {
    this.context.fail(error, status);
  }
}

const REWRITTEN =
  "`req.url` or `req.method` was changed behind the guard, and express would run what the policy did not decide: answer with a " +
  "redirect, or register the handler for both";
const ANOTHER =
  "express would run a handler of another route than the one that the policy decided: register the more specific route first, and " +
  "give routers the `caseSensitive` and `strict` of their application";
