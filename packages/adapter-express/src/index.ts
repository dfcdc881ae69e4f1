/** Gatehouse on express 5 and 4. */
import type { HandlerContext } from "@gatehouse/node-http";

export { gatehouse } from "./gatehouse.js";
export type { Gatehouse } from "./gatehouse.js";
export type { GatehouseOptions, InventoryMode } from "./options.js";
export type { ExpressInventory } from "./inventory.js";
export { guardUpgrade, ownServer } from "@gatehouse/node-http";
export type { HandlerContext, UpgradeHandler, UpgradeListener, UpgradeOptions } from "@gatehouse/node-http";

declare global {
  // The types of express are made to be extended this way.
  // oxlint-disable-next-line typescript/no-namespace
  namespace Express {
    interface Request {
      /** All that the policy validated, and who calls. Set on requests that a guard admitted. */
      gatehouse?: HandlerContext;
      /** Null for an anonymous caller. */
      principal?: HandlerContext["principal"];
    }
  }
}
