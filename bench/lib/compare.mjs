// Ratios that a noisy machine cannot bend: A and B run next to each other in every round, the ratio is taken inside the
// round, and the median of the rounds is told. Absolute times are shown for orientation only.

const rounds = 11;

/** How many calls fill about `target` nanoseconds. Warm ones: counted cold, a round would be too short to ever get warm. */
function calibrate(run, target, warmUp) {
  time(run, warmUp);
  let count = 64;
  for (;;) {
    const spent = time(run, count);
    if (spent >= target / 4) return Math.max(1, Math.round((count * target) / spent));
    count *= 4;
  }
}

function time(run, count) {
  const start = process.hrtime.bigint();
  for (let index = 0; index < count; index++) run(index);
  return Number(process.hrtime.bigint() - start);
}

export const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/**
 * @param a what is measured
 * @param b what it is held against
 * @returns nanoseconds a call of each, and the median of a/b
 */
export function compare(a, b, { short = false } = {}) {
  const target = short ? 2e6 : 8e7;
  const warmUp = short ? 200 : 20_000;
  const counts = [calibrate(a, target, warmUp), calibrate(b, target, warmUp)];
  const seen = { a: [], b: [], ratio: [] };
  for (let round = 0; round < (short ? 3 : rounds); round++) {
    // Who goes first changes, so that neither always meets the other's garbage.
    const first = round % 2 === 0;
    let spentA = first ? time(a, counts[0]) / counts[0] : 0;
    const spentB = time(b, counts[1]) / counts[1];
    if (!first) spentA = time(a, counts[0]) / counts[0];
    seen.a.push(spentA);
    seen.b.push(spentB);
    seen.ratio.push(spentA / spentB);
  }
  return { a: median(seen.a), b: median(seen.b), ratio: median(seen.ratio) };
}

/** Runs A and B next to each other in every round; each tells its own figure. */
export async function interleaved(a, b, short = false) {
  const seen = { a: [], b: [], ratio: [] };
  await a();
  await b();
  for (let round = 0; round < (short ? 2 : rounds); round++) {
    const first = round % 2 === 0;
    let gotA = first ? await a() : 0;
    const gotB = await b();
    if (!first) gotA = await a();
    seen.a.push(gotA);
    seen.b.push(gotB);
    seen.ratio.push(gotA / gotB);
  }
  return { a: median(seen.a), b: median(seen.b), ratio: median(seen.ratio) };
}

/** Bytes that a call leaves to the collector; needs --expose-gc. */
export function allocated(run, count = 20_000) {
  for (let index = 0; index < count; index++) run(index);
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  for (let index = 0; index < 2000; index++) run(index);
  return Math.max(0, process.memoryUsage().heapUsed - before) / 2000;
}

/** Promises made while `run` runs. */
export async function promisesMade(run) {
  const { createHook } = await import("node:async_hooks");
  let made = 0;
  const hook = createHook({ init: (_id, type) => void (made += type === "PROMISE" ? 1 : 0) }).enable();
  run(0);
  hook.disable();
  return made;
}
