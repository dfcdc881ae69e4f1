/** The default state store. */
export { createMemoryStore, type MemoryStoreOptions } from "./memory.js";
export { StoreRevocations } from "./revocations.js";
export type { OverflowPolicy } from "./overflow.js";
