/** What every way in shares: the binding, the server's facts, and the comparison of routes when the first request comes. */
import { inventoryProblems, type BoundEngine, type Engine } from "@gatehouse/core";
import { bareError } from "./answer.js";
import { inventory, matchingOf, unguardedProblems } from "./hono-app.js";
import { settingsOf, type GuardOptions, type GuardSettings } from "./options.js";
import { pass, type Proceed, type ServerFacts } from "./passage.js";
import { whenLost } from "./queued.js";

/** hono runs the handlers of `/files/*` for `/files` too. */
const HONO = { wildcard: "itself" } as const;

export class Doors<Rest extends readonly unknown[]> {
  readonly settings: GuardSettings<Rest>;
  private readonly engine: BoundEngine;
  private compared = false;
  private closed = false;

  /**
   * @param isHono whether or not `app` is given, hono matches behind these doors
   * @throws TypeError for a wrong option; PolicyError for a policy that this server cannot hold
   */
  constructor(engine: Engine, options: GuardOptions<Rest>, isHono = options.app !== undefined) {
    const settings = settingsOf(options);
    const { app } = settings;
    const matching = isHono ? { ...HONO, ...settings.matching } : settings.matching;
    const asked = options.matching?.trailingSlash !== undefined;
    const read =
      app === undefined ? matching : { ...matching, trailingSlash: matchingOf(app, matching, asked) };
    this.settings = { ...settings, matching: read };
    this.engine = engine.bind(read);
  }

  pass(request: Request, rest: Rest, proceed: Proceed): Promise<Response> {
    if (!this.compared) this.compare();
    if (this.closed) return Promise.resolve(bareError(request.method));
    const { settings } = this;
    const facts = (): ServerFacts => settings.facts(request, rest);
    return pass(this.engine, request, facts, settings, proceed, (lost) => whenLost(rest[0], lost));
  }

  /** Not before: an application goes on registering after its first middleware. */
  private compare(): void {
    this.compared = true;
    const { app, inventory: level, matching, onError } = this.settings;
    if (app === undefined || level === "off") return;
    const taken = inventory(this.engine, app, matching.mountPrefix);
    const problems = [...unguardedProblems(taken), ...inventoryProblems(taken)];
    if (problems.length === 0) return;
    this.closed = level === "strict";
    onError(new Error(`the application's routes and the policy's differ:\n${problems.join("\n")}`));
  }
}
