/** scrypt on Node: off this thread, in the pool that files and name look-ups need too. */
import { scrypt } from "node:crypto";
import { WorkGate } from "../lib/work-gate.js";
import type { ScryptCost } from "../ports/platform.js";

/** Threads of the pool where nobody says otherwise. */
const THREADS = 4;
const MAX_WAITING = 32;

/** One a process, as the pool is: half of the threads are left to everything else. */
const gate = new WorkGate(threadsToUse(process.env["UV_THREADPOOL_SIZE"]), MAX_WAITING);

function threadsToUse(written: string | undefined): number {
  const size = Number(written ?? THREADS);
  return Math.max(1, Math.floor((Number.isInteger(size) && size > 0 ? size : THREADS) / 2));
}

/** See `Platform.scrypt`. */
export function nodeScrypt(
  password: Uint8Array,
  salt: Uint8Array,
  { n, r, p }: ScryptCost,
  length: number,
): Promise<Uint8Array> | undefined {
  // The bound is for callers who do not know what they ask for; the cost was judged when the record was read.
  const options = { N: n, r, p, maxmem: 128 * r * (n + p + 2) + 65_536 };
  return gate.run(
    () =>
      new Promise((resolve, reject) => {
        scrypt(password, salt, length, options, (error, hash) => {
          if (error === null) resolve(hash);
          else reject(error);
        });
      }),
  );
}
