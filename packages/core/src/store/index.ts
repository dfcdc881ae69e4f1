/** The default state store. */
export { createMemoryStore, type MemoryStoreOptions } from "./memory.js";
export type { OverflowPolicy } from "./overflow.js";
