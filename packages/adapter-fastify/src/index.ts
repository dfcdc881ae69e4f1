/** Gatehouse on fastify 5. */
export { gatehouse } from "./plugin.js";
export type { GatehouseInstance } from "./plugin.js";
export type { GatehouseOptions } from "./options.js";
export { guardUpgrade } from "@gatehouse/node-http";
export type { HandlerContext, UpgradeHandler } from "@gatehouse/node-http";
