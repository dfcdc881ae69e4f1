/** `app.use(gatehouse(engine))`: express's requests to the engine, its decisions back into express. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Engine } from "@gatehouse/core";
import { isClosing, pass, writeBareError } from "@gatehouse/node-http";
import { Binding } from "./binding.js";
import { endUnderWay } from "./ending.js";
import { handOn, refuseRewritten } from "./handing.js";
import { ownApplication } from "./application.js";
import {
  routerOf,
  type App,
  type ExpressRequest,
  type ExpressResponse,
  type Layer,
  type Middleware,
  type Next,
} from "./express.js";
import type { ExpressInventory } from "./inventory.js";
import { settingsOf, type GatehouseOptions, type GatehouseSettings } from "./options.js";
import { watchLayers, watchRouter } from "./passes.js";

/** Middleware that knows the application it is given to: `app.use` treats it as an application of its own. */
export interface Gatehouse {
  (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void;
  /**
   * What the application has registered beside what the policy names.
   * @param app an express application that has this guard
   */
  inventory(app: object): ExpressInventory;
}

/**
 * Guards all that is registered behind it: `app.use(gatehouse(engine))`, in front of body parsers and of every route. Below a mount
 * path it guards what lies below; the policy sees the whole target.
 * @throws TypeError for an option that is wrong; `app.use` throws PolicyError when the policy's routes cannot be told apart there
 */
export function gatehouse(engine: Engine, options: GatehouseOptions = {}): Gatehouse {
  const guard = new Guard(engine, settingsOf(options));
  const handle = (req: IncomingMessage, res: ServerResponse, next: Next): void => {
    guard.request(req, res as ExpressResponse, next, handle);
  };
  const mounting = {
    handle,
    set: () => undefined,
    emit: (_event: string, app: App) => guard.mounted(app, handle),
  };
  return Object.assign(handle, mounting, {
    inventory: (app: object) => guard.inventory(app as App, handle),
  });
}

class Guard {
  private readonly bindings = new WeakMap<App, Binding>();
  /** In which this guard stands. */
  private readonly layers = new WeakSet<Layer>();

  constructor(
    private readonly engine: Engine,
    private readonly settings: GatehouseSettings,
  ) {}

  /** `app.use` has just put the guard into its router. */
  mounted(app: App, handle: Middleware): void {
    const layer = routerOf(app).stack.at(-1);
    if (layer !== undefined) this.layers.add(layer);
    this.bindingOf(app, handle);
  }

  inventory(app: App, handle: Middleware): ExpressInventory {
    return this.bindingOf(app, handle).inventory();
  }

  request(req: ExpressRequest, res: ExpressResponse, next: Next, handle: Middleware): void {
    if (isClosing(req)) return;
    const binding = this.bindingFor(req, handle);
    if (binding === undefined) return writeBareError(res);
    pass(binding.bound, req, res, this.settings, (_req, _res, context) => {
      endUnderWay(req);
      handOn(req, res, context, binding);
      next();
    });
  }

  /** Undefined: this request cannot be decided, and `onError` was told why. */
  private bindingFor(req: ExpressRequest, handle: Middleware): Binding | undefined {
    const { app } = req;
    try {
      if (app === undefined) throw new Error(NO_EXPRESS);
      const binding = this.bindingOf(app, handle);
      if (binding.isBroken(req)) return undefined;
      refuseRewritten(req);
      return binding;
    } catch (error) {
      this.settings.onError(error);
      return undefined;
    }
  }

  private bindingOf(app: App, handle: Middleware): Binding {
    const known = this.bindings.get(app);
    if (known !== undefined) return known;
    const router = routerOf(app);
    const [first] = router.stack;
    if (first !== undefined) watchLayers(first);
    watchRouter(router);
    const isGuard = (layer: Layer): boolean => layer.handle === handle || this.layers.has(layer);
    const binding = new Binding(this.engine, app, this.settings, isGuard);
    this.bindings.set(app, binding);
    ownApplication(app, binding);
    return binding;
  }
}

const NO_EXPRESS = "the guard was called by something else than an express application";
