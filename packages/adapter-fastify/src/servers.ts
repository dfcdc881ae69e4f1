/** The servers of one application: fastify opens a second one where `localhost` has two addresses. */
import type { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { BoundEngine } from "@gatehouse/core";
import {
  guardUpgrade,
  isClosing,
  ownServer,
  pass,
  serverProblem,
  writeBareError,
} from "@gatehouse/node-http";
import type { FastifyInstance } from "fastify";
import { internal, lastRouterOf } from "./internals.js";
import type { GatehouseSettings } from "./options.js";

export class Servers {
  private readonly problems = new WeakMap<EventEmitter, string | undefined>();
  /** The one that the last request came from, where it has no problem: two are rare. */
  private sound: EventEmitter | undefined = undefined;

  /** @throws Error when something else listens there already, or the server parses leniently */
  constructor(
    private readonly app: FastifyInstance,
    private readonly engine: BoundEngine,
    private readonly settings: GatehouseSettings,
  ) {
    const { onUpgrade, onError } = settings;
    ownServer(app.server);
    this.decideUnrouted();
    if (onUpgrade !== undefined) app.server.on("upgrade", guardUpgrade(engine, onUpgrade, { onError }));
  }

  /** Once the application listens. */
  ownSecond(): void {
    const bindings = internal(this.app, "fastify.serverBindings");
    if (Array.isArray(bindings)) for (const server of bindings as EventEmitter[]) this.ask(server);
  }

  /** False: this request is answered, or nobody's. */
  admits(req: IncomingMessage, res: ServerResponse): boolean {
    if (isClosing(req)) return false;
    // `inject` has no server.
    const { server } = req.socket as { server?: EventEmitter };
    if (server === undefined || server === this.sound) return true;
    if (this.ask(server) === undefined) {
      this.sound = server;
      return true;
    }
    writeBareError(res);
    return false;
  }

  private ask(server: EventEmitter): string | undefined {
    if (this.problems.has(server)) return this.problems.get(server);
    if (server !== this.app.server) this.own(server);
    const problem = serverProblem(server);
    this.problems.set(server, problem);
    if (problem !== undefined) this.settings.onError(new Error(problem));
    return problem;
  }

  /**
   * HTTP/2 takes every token for a method, and Node's parser those of RTSP and `PRI` where a request names no version. For these fastify's
   * router has no tree, not even that of its 404, and fastify answers by itself before any hook, whatever server they came from.
   */
  private decideUnrouted(): void {
    const router = lastRouterOf(this.app);
    const own = router.defaultRoute;
    router.defaultRoute = (req, res) => this.unrouted(req, res, () => own.call(router, req, res));
  }

  private unrouted(req: IncomingMessage, res: ServerResponse, goOn: () => void): void {
    if (!this.admits(req, res)) return;
    pass(this.engine, req, res, this.settings, (_req, _res, context) => {
      if (context.exchange.observing) goOn();
      else context.fail(new Error("fastify routes no such method"), 404);
    });
  }

  /** fastify hands the second server's upgrades to the first one's listeners, which are guards; without any, a client would wait forever. */
  private own(server: EventEmitter): void {
    const relay = server.listeners("upgrade").find((listener) => listener.name === "bound emit");
    if (relay === undefined) return;
    server.removeListener("upgrade", relay as () => void);
    for (const guard of this.app.server.listeners("upgrade")) server.on("upgrade", guard as () => void);
    if (serverProblem(server) === undefined) ownServer(server);
  }
}
