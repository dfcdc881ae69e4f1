// Several ways to one answer, run next to each other in every round. What is told is the median of what each round says, so that
// whatever else the machine does falls on all of them alike. What is counted is CPU time of the process: on a machine that others use
// too it hardly moves, and threads that work for a library are paid for by it. Only what waits for others is told by the clock.
import { median } from "./compare.mjs";

const ROUNDS = 11;

const isPromise = (value) => typeof value?.then === "function";

/** Nanoseconds by CPU and by the clock. One that answers at once is not made to wait for its turn. */
async function spend(run, count, from, waits) {
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  if (waits) for (let index = 0; index < count; index++) await run(from + index);
  else for (let index = 0; index < count; index++) run(from + index);
  const clock = Number(process.hrtime.bigint() - start);
  const { user, system } = process.cpuUsage(cpu);
  return { cpu: (user + system) * 1000, clock };
}

/** Warm, then counted: how many calls fill a round. */
async function calibrate(contender, { round, warmUp }) {
  const { run, before, most = Infinity } = contender;
  const waits = isPromise(run(0));
  let [index, spent, last, count] = [1, 0, 1, 1];
  while (spent < warmUp) {
    const some = Math.min(count, most);
    if (before !== undefined) await before();
    const { clock } = await spend(run, some, before === undefined ? index : 0, waits);
    last = clock / some;
    spent += clock;
    index += some;
    count = Math.min(count * 2, 20_000);
  }
  const fitting = Math.max(1, Math.round(round / last));
  return { ...contender, waits, count: Math.min(fitting, most), next: index };
}

/**
 * @param contenders each `{ name, run(index) }`; `before` runs ahead of each of its rounds and is not counted, and its indexes begin anew
 *   then; `most`: calls of one round, where there are only so many inputs
 * @param options `short`: proves that it works, and measures nothing; `ms`: of one round of each
 */
export async function sideBySide(contenders, { short = false, ms = 20, rounds = ROUNDS } = {}) {
  const settings = short ? { round: 2e5, warmUp: 2e5 } : { round: ms * 1e6, warmUp: ms * 4e6 };
  const ready = [];
  for (const contender of contenders) ready.push(await calibrate(contender, settings));
  const samples = new Map(ready.map(({ name }) => [name, { cpu: [], clock: [] }]));
  for (let round = 0; round < (short ? 2 : rounds); round++) {
    for (let place = 0; place < ready.length; place++) {
      // Who goes first changes, so that nobody always meets the others' garbage.
      const one = ready[(place + round) % ready.length];
      await one.before?.();
      const spent = await spend(one.run, one.count, one.before === undefined ? one.next : 0, one.waits);
      one.next += one.count;
      const kept = samples.get(one.name);
      kept.cpu.push(spent.cpu / one.count);
      kept.clock.push(spent.clock / one.count);
    }
  }
  return new Comparison(samples, "cpu");
}

class Comparison {
  #samples;
  #by;

  constructor(samples, by) {
    this.#samples = samples;
    this.#by = by;
  }

  /** The same rounds by the clock. */
  get byClock() {
    return new Comparison(this.#samples, "clock");
  }

  #of(name) {
    const found = this.#samples.get(name);
    if (found === undefined) throw new Error(`nothing called \`${name}\` was measured`);
    return found[this.#by];
  }

  /** Nanoseconds a call. */
  ns(name) {
    return median(this.#of(name));
  }

  /** How many times as long the one takes as the other. */
  ratio(name, other) {
    const others = this.#of(other);
    return median(this.#of(name).map((value, round) => value / others[round]));
  }

  /** Nanoseconds that something adds: the same call with it and without it, in one round. */
  added(name, without) {
    const less = this.#of(without);
    return median(this.#of(name).map((value, round) => value - less[round]));
  }

  /** How many times as long `peer` takes as what `name` adds to `without`. */
  timesAdded(peer, name, without) {
    const [whole, less] = [this.#of(name), this.#of(without)];
    return median(this.#of(peer).map((value, round) => value / (whole[round] - less[round])));
  }
}
