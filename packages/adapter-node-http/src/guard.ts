/** The guard of a `node:http`, `https` or `http2` server. */
import type { EventEmitter } from "node:events";
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from "node:http";
import type { BoundEngine, Engine } from "@gatehouse/core";
import type { HandlerContext } from "./context.js";
import { isClosing, writeBareError } from "./decision.js";
import { settingsOf, type GuardOptions, type GuardSettings } from "./options.js";
import { pass, type Proceed } from "./passage.js";
import { problemOf, refuseStrangers } from "./servers.js";
import { MATCHING, plainRequest, plainResponse, type NodeRequest, type NodeResponse } from "./types.js";
import { upgradeListener } from "./upgrade.js";

/** Runs only for requests that the policy admits. A throw or a rejection becomes the shaped 500. */
export type Handler<Req extends NodeRequest, Res extends NodeResponse> = (
  req: Req,
  res: Res,
  context: HandlerContext,
) => unknown;

/** A request listener that also knows how to own a server. */
export interface Guard<Req extends NodeRequest, Res extends NodeResponse> {
  (req: Req, res: Res): void;
  /**
   * Makes the guard the only door of a server: it listens for requests, answers `Expect: 100-continue` only after the decision,
   * and takes upgrades where `onUpgrade` was given.
   * @throws Error when something else listens there, now or later, or the server parses leniently
   */
  attach<S extends EventEmitter>(server: S): S;
}

/**
 * Guards a handler of node:http, https or http2's compatibility API.
 *
 * As a plain listener it cannot see what Node hands to other events: prefer `guard(…).attach(server)` or `createServer`. A server
 * on which somebody else listens for those events is answered 500, and `onError` is told why.
 */
export function guard<Req extends NodeRequest = IncomingMessage, Res extends NodeResponse = ServerResponse>(
  engine: Engine,
  handler: Handler<Req, Res>,
  options: GuardOptions = {},
): Guard<Req, Res> {
  const doors = new Doors(engine.bind(MATCHING), settingsOf(options), handler as unknown as Proceed);
  const listener = (req: Req, res: Res): void => doors.request(req, res);
  return Object.assign(listener, {
    attach: <S extends EventEmitter>(server: S): S => doors.attach(server, listener),
  });
}

/** An http server whose only door is the guard. The policy judges Host, so that Node does not answer without it. */
export function createServer(
  engine: Engine,
  handler: Handler<IncomingMessage, ServerResponse>,
  options: GuardOptions = {},
  serverOptions: ServerOptions = {},
): Server {
  return guard(engine, handler, options).attach(
    createHttpServer({ ...serverOptions, requireHostHeader: false }),
  );
}

/** Everything that can come in at a server, and one way for all of it. */
class Doors {
  private readonly owned = new Map<string, unknown>();
  private readonly attached = new WeakSet<EventEmitter>();
  private checked: EventEmitter | undefined = undefined;
  private problem: string | undefined = undefined;
  /** One guard may stand on several servers: each is judged, and told of, once. */
  private readonly problems = new WeakMap<EventEmitter, string | undefined>();

  constructor(
    private readonly engine: BoundEngine,
    private readonly settings: GuardSettings,
    private readonly proceed: Proceed,
  ) {}

  request(req: NodeRequest, res: NodeResponse, expectsContinue = false): void {
    const plain = plainRequest(req);
    if (isClosing(plain)) return;
    const { server } = plain.socket as { server?: EventEmitter };
    if (server !== undefined && server !== this.checked) this.check(server);
    if (this.problem !== undefined) return writeBareError(plainResponse(res));
    pass(this.engine, req, res, this.settings, this.proceed, expectsContinue);
  }

  attach<S extends EventEmitter>(server: S, listener: (...given: never[]) => void): S {
    const { owned, settings } = this;
    owned.set("request", listener);
    const problem = problemOf(server, owned, true);
    if (problem !== undefined) throw new Error(problem);
    owned.set("checkContinue", (req: NodeRequest, res: NodeResponse) => this.request(req, res, true));
    owned.set("checkExpectation", (req: NodeRequest, res: NodeResponse) => this.request(req, res));
    if (settings.onUpgrade !== undefined) {
      owned.set("upgrade", upgradeListener(this.engine, settings.onUpgrade, settings));
    }
    this.attached.add(server);
    this.problems.delete(server);
    this.checked = undefined;
    for (const [event, own] of owned) {
      if (!server.listeners(event).includes(own as () => void)) server.on(event, own as () => void);
    }
    refuseStrangers(server, owned);
    return server;
  }

  private check(server: EventEmitter): void {
    this.checked = server;
    if (this.attached.has(server) || this.problems.has(server)) {
      this.problem = this.problems.get(server);
      return;
    }
    this.problem = problemOf(server, this.owned, false);
    this.problems.set(server, this.problem);
    if (this.problem !== undefined) this.settings.onError(new Error(this.problem));
  }
}
