/** What a store may be told. Unknown names are errors: a typo must not silently turn something off. */
import { refuseUnknownOptions } from "@gatehouse/core";
import type { RedisDriver } from "./driver.js";

export interface RedisStoreOptions {
  /** `ioredisDriver(client)`, `nodeRedisDriver(client)`, or one of your own. */
  readonly driver: RedisDriver;
  /** What every key on the server begins with. Processes that count together have the same. Default `gatehouse:`. */
  readonly prefix?: string;
  /** How many processes count together, where that is known. Default: they are counted, every five seconds. */
  readonly fleetSize?: number;
  /** How long `start` waits for the server at most, in milliseconds, before the process counts alone until it is there. Default 1000. */
  readonly startTimeout?: number;
}

export interface Settings {
  readonly driver: RedisDriver;
  readonly prefix: string;
  readonly fleetSize: number | undefined;
  readonly startTimeout: number;
}

export const STORE_OPTIONS = ["driver", "prefix", "fleetSize", "startTimeout"] as const;
const LONGEST_START_MS = 60_000;

/** @throws TypeError naming the option that is wrong, and the nearest that there is */
export function settingsOf(options: RedisStoreOptions): Settings {
  refuseUnknownOptions(options, STORE_OPTIONS);
  const { driver, prefix = "gatehouse:", fleetSize, startTimeout = 1000 } = options;
  if (!isDriver(driver)) {
    throw new TypeError("`driver` is no driver: write `ioredisDriver(client)` or `nodeRedisDriver(client)`");
  }
  // A brace would be the tag that says in which slot a key lies.
  if (typeof prefix !== "string" || !/^[^{}\s]{0,64}$/.test(prefix)) {
    throw new TypeError("`prefix` is not a text of at most 64 characters without blanks and braces");
  }
  if (fleetSize !== undefined && (!Number.isSafeInteger(fleetSize) || fleetSize < 1)) {
    throw new TypeError("`fleetSize` is not a whole number of processes");
  }
  if (!Number.isSafeInteger(startTimeout) || startTimeout < 0 || startTimeout > LONGEST_START_MS) {
    throw new TypeError(`\`startTimeout\` is not a whole number of milliseconds up to ${LONGEST_START_MS}`);
  }
  return { driver, prefix, fleetSize, startTimeout };
}

function isDriver(driver: unknown): driver is RedisDriver {
  return (
    typeof driver === "object" &&
    driver !== null &&
    "open" in driver &&
    typeof driver.open === "function" &&
    "cluster" in driver
  );
}
