/** The only door. */
export { createRedisStore } from "./store.js";
export type { RedisStoreOptions } from "./options.js";
export { ioredisDriver } from "./drivers/ioredis.js";
export type { IoredisLike } from "./drivers/ioredis.js";
export { nodeRedisDriver } from "./drivers/node-redis.js";
export type { NodeRedisLike } from "./drivers/node-redis.js";
export type { RedisConnection, RedisDriver } from "./driver.js";
