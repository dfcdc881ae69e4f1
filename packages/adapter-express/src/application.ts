/** What the guard owns of an application: its start, its server's other events, its end. */
import type { EventEmitter } from "node:events";
import { ownServer } from "@gatehouse/node-http";
import type { Binding } from "./binding.js";
import { ownEnding } from "./ending.js";
import type { App } from "./express.js";

/**
 * The application, and those above it once it is mounted: `listen` checks the routes and owns the server, and what no handler
 * answers is the policy's.
 */
export function ownApplication(app: App, binding: Binding): void {
  ownEnding(app);
  ownListen(app, binding);
  app.on("mount", (parent) => ownApplication(parent, binding));
}

function ownListen(app: App, binding: Binding): void {
  const { listen } = app;
  app.listen = function (...given) {
    binding.start();
    return ownServer(listen.apply(this, given) as EventEmitter);
  };
}
