/** The plugin: fastify's hooks in, the policy's passage, fastify's hooks out. */
import {
  inventoryProblems,
  type BoundEngine,
  type Exchange,
  type Principal,
  type RouteInventory,
} from "@gatehouse/core";
import { pass, type HandlerContext } from "@gatehouse/node-http";
import type { FastifyInstance, FastifyPluginCallback, FastifyRequest } from "fastify";
import { Agreement } from "./agreement.js";
import { noteError, shapeText, shapeValue } from "./answers.js";
import { hideMethods, skipParsers } from "./bodies.js";
import { hostOptionsOf, matchingOf } from "./host.js";
import { lastRouterOf, routeUrlOf } from "./internals.js";
import { settingsOf, type GatehouseOptions, type GatehouseSettings } from "./options.js";
import { registeredRoutes, routesOf } from "./routes.js";
import { Servers } from "./servers.js";

/** What `app.gatehouse` is. */
export interface GatehouseInstance {
  /** The engine as this application matches. */
  readonly engine: BoundEngine;
  /** The application's routes beside the policy's. Complete once the application is ready. */
  inventory(): RouteInventory;
}

declare module "fastify" {
  interface FastifyInstance {
    readonly gatehouse: GatehouseInstance;
  }
  interface FastifyRequest {
    /** All that was validated, and who calls. */
    gatehouse: HandlerContext;
    /** Who calls; null on routes without authentication. */
    readonly principal: Principal | null;
    readonly exchange: Exchange;
  }
}

const plugin: FastifyPluginCallback<GatehouseOptions> = (app, options, done) => {
  // What a plugin throws here would end the process, and not the start alone.
  try {
    install(app, options);
  } catch (error) {
    return done(error as Error);
  }
  return done();
};

function install(app: FastifyInstance, options: GatehouseOptions): void {
  const settings = settingsOf(options);
  const host = hostOptionsOf(app);
  const engine = settings.engine.bind(matchingOf(host));
  const agreement = new Agreement(engine, () => routesOf(app), settings.onError);
  const servers = new Servers(app, engine, settings);

  decorate(app, engine);
  hideMethods(app);
  app.addHook("onRequest", (request, reply, next) => {
    const { raw } = request;
    if (!servers.admits(raw, reply.raw)) return;
    const agrees = agreement.of(raw.method ?? "", routeUrlOf(request));
    pass(engine, raw, reply.raw, settings, (_req, _res, context) => {
      hand(request, context);
      if (agrees(context.route)) next();
      else reply.callNotFound();
    });
  });
  app.addHook("preSerialization", shapeValue);
  app.addHook("onError", noteError);
  app.addHook("onSend", shapeText);
  app.addHook("onReady", () => compare(app, settings));
  app.addHook("onListen", () => servers.ownSecond());

  // What the router cannot read never comes to a hook. Before 5.12.1 that of the 404 led it to the application's handler.
  lastRouterOf(app).onBadUrl = host.routerOptions["onBadUrl"];
  const { frameworkErrors } = host;
  host.frameworkErrors = (error, request, reply) => {
    if (!servers.admits(request.raw, reply.raw)) return;
    pass(engine, request.raw, reply.raw, settings, (_req, _res, context) => {
      if (frameworkErrors !== undefined) return frameworkErrors(error, request, reply);
      return context.exchange.observing ? reply.send(error) : context.fail(error, error.statusCode);
    });
  };
}

/**
 * `app.register(gatehouse, { engine })`, on the root instance and before other plugins. It stands outside of encapsulation: every route
 * of the application is guarded, also those registered before.
 */
export const gatehouse: FastifyPluginCallback<GatehouseOptions> = Object.assign(plugin, {
  [Symbol.for("skip-override")]: true,
  [Symbol.for("fastify.display-name")]: "@gatehouse/fastify",
  [Symbol.for("plugin-meta")]: { fastify: "^5.9.0", name: "@gatehouse/fastify" },
});

function decorate(app: FastifyInstance, engine: BoundEngine): void {
  app.decorate("gatehouse", { engine, inventory: () => engine.inventory(registeredRoutes(app)) });
  app.decorateRequest("gatehouse", null as unknown as HandlerContext);
  app.decorateRequest("principal", {
    getter(this: FastifyRequest): Principal | null {
      // Hooks that were registered before run before the decision.
      return (this.gatehouse as HandlerContext | null)?.principal ?? null;
    },
  });
  app.decorateRequest("exchange", {
    getter(this: FastifyRequest): Exchange {
      return this.gatehouse.exchange;
    },
  });
}

/** What was validated is what the handler reads. In observe mode nothing is changed. */
function hand(request: FastifyRequest, context: HandlerContext): void {
  request.gatehouse = context;
  if (context.exchange.observing) return;
  if (context.decision.queryValidated) request.query = context.query;
  request.params = Object.assign(Object.create(null), request.params, context.params) as unknown;
  skipParsers(request);
}

function compare(app: FastifyInstance, { inventory, onError }: GatehouseSettings): void {
  if (inventory === "off") return;
  const problems = inventoryProblems(app.gatehouse.inventory());
  if (problems.length === 0) return;
  const text = `the application's routes and the policy's differ:\n${problems.map((one) => `- ${one}`).join("\n")}`;
  if (inventory === "strict") throw new Error(text);
  onError(new Error(text));
}
