/** Gatehouse where a Request becomes a Response: hono, Bun, Deno, Workers. */
export { HandlerContext } from "./context.js";
export { guard } from "./guard.js";
export type { Handler } from "./guard.js";
export { gatehouse } from "./hono.js";
export type { GatehouseVariables, HonoContext } from "./hono.js";
export { honoRoutes, inventory } from "./hono-app.js";
export type { HonoApp, HonoInventory } from "./hono-app.js";
export type { GuardOptions, Matching } from "./options.js";
export type { SendOptions } from "./sent.js";
