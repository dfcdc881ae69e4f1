/** scrypt in plain JavaScript: WebCrypto has none. Slower by a factor, and in slices, so that the page or worker goes on meanwhile. */
import { scryptAsync } from "@noble/hashes/scrypt.js";
import { WorkGate } from "../lib/work-gate.js";
import type { ScryptCost } from "../ports/platform.js";

const MAX_WAITING = 32;

/** All of it is done on the one thread: two at once would only take twice the memory. */
const gate = new WorkGate(1, MAX_WAITING);

/** See `Platform.scrypt`. */
export function portableScrypt(
  password: Uint8Array,
  salt: Uint8Array,
  { n, r, p }: ScryptCost,
  length: number,
): Promise<Uint8Array> | undefined {
  const maxmem = 128 * r * (n + p + 2) + 65_536;
  return gate.run(() => scryptAsync(password, salt, { N: n, r, p, dkLen: length, maxmem }));
}
