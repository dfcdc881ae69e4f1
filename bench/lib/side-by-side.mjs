// Several ways to one answer, run next to each other in every round. What is told is the median of what each round says, so that
// whatever else the machine does falls on all of them alike. What is counted is CPU time of the process: on a machine that others use
// too it hardly moves, and threads that work for a library are paid for by it. Only what waits for others is told by the clock.
import { median } from "./compare.mjs";

const ROUNDS = 9;
/** Code is compiled by how often it ran: what takes long has run seldom when its time is over. */
const WARM_CALLS = 15_000;
/** Nanoseconds after which it is warm however seldom it ran. */
const LONG_ENOUGH = 6e8;

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

/** What waits for others uses little CPU of its own: the clock ends its rounds then. */
const lengthOf = ({ cpu, clock }) => Math.max(cpu, clock / 10, 1);

/**
 * Runs it until it is warm: code that is still being compiled while it is measured would be measured too.
 * @returns how long a call takes by then, and how many were made
 */
async function warmed({ run }, warmUp, calls) {
  const waits = isPromise(run(0));
  let [next, all, each, count] = [1, 0, Infinity, 1];
  /** How many calls it still takes, as long as they are by now. */
  const missing = () => Math.max((warmUp - all) / each, Math.min(calls - next, (LONG_ENOUGH - all) / each));
  do {
    const length = lengthOf(await spend(run, count, next, waits));
    all += length;
    each = Math.min(each, length / count);
    next += count;
    // The last step is no longer than it has to be, and long enough to tell how long a call takes.
    count = Math.min(count * 2, 10_000, Math.ceil(Math.max(missing(), next / 16)));
  } while (missing() > 0);
  return { waits, each, next };
}

/**
 * @param contenders each `{ name, run(index) }`
 * @param options `short`: proves that it works, and measures nothing; `ms`: of one round of each
 */
export async function sideBySide(contenders, { short = false, ms = 20, rounds = ROUNDS } = {}) {
  const round = short ? 2e5 : ms * 1e6;
  const ready = [];
  const [warmUp, calls] = short ? [2e5, 0] : [round * 4, WARM_CALLS];
  for (const one of contenders) ready.push({ ...one, ...(await warmed(one, warmUp, calls)) });
  const samples = new Map(ready.map(({ name }) => [name, { cpu: [], clock: [] }]));
  for (let turn = 0; turn < (short ? 2 : rounds); turn++) {
    for (let place = 0; place < ready.length; place++) {
      // Who goes first changes, so that nobody always meets the others' garbage.
      const one = ready[(place + turn) % ready.length];
      const count = Math.max(1, Math.round(round / one.each));
      const spent = await spend(one.run, count, one.next, one.waits);
      one.next += count;
      samples.get(one.name).cpu.push(spent.cpu / count);
      samples.get(one.name).clock.push(spent.clock / count);
      // The first rounds may find it faster than the warming did.
      one.each = Math.min(one.each, lengthOf(spent) / count);
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

  get names() {
    return [...this.#samples.keys()];
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
    return this.perRound((at) => at(peer) / (at(name) - at(without)));
  }

  /**
   * A round in which a difference drowned says nothing, and where most say nothing there is no figure.
   * @param figure above 0, made of what each took in one round; the median of the rounds is told
   */
  perRound(figure) {
    const [{ cpu }] = this.#samples.values();
    const figures = cpu.map((_, round) => figure((name) => this.#of(name)[round]));
    const told = figures.filter((value) => value > 0);
    return told.length * 2 > figures.length ? median(told) : NaN;
  }
}
