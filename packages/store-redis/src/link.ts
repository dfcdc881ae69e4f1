/**
 * The way to the server: one connection of the store's own, a breaker for each node, a deadline for each call, and one prober for
 * each breaker that is open. A call is sent once; only a server that says it does not know the script gets the text after it.
 */
import { StoreError } from "@gatehouse/core";
import { Breaker, type BreakerState } from "./breaker.js";
import type { MonotonicUs } from "./clock.js";
import { withDeadline } from "./deadline.js";
import type { RedisConnection, RedisDriver } from "./driver.js";
import { isNoScript, storeErrorOf } from "./faults.js";
import { Prober, type Probed } from "./prober.js";
import type { Script } from "./scripts/script.js";
import { PROBE } from "./scripts/small.js";
import { slotOf } from "./slots.js";

/** Fewer would blame the link for a server that only paused; a link whose other end is gone never says so. */
const ASTRAY_PROBES = 3;
/**
 * As long as connecting may take: a server that answers within a deadline is connected to within several. With what the prober waits
 * it is how long a link stays lost whose other end is gone, and with it the limits of this process: less than 1.5 s in all.
 */
const UNREADY_US = 700_000;
const UNREADY_DEADLINES = 10;

export interface Call {
  readonly script: Script;
  readonly keys: readonly string[];
  readonly values: readonly string[];
}

interface Node {
  readonly breaker: Breaker;
  readonly prober: Prober;
  /** A key in one of its slots, for probes. */
  probeKey: string;
  /** Probes in a row that say that the link may be to blame. */
  astray: number;
}

export interface LinkCounters {
  calls: number;
  failures: number;
  timeouts: number;
  opened: number;
  probes: number;
  reconnects: number;
}

export class Link {
  readonly counters: LinkCounters = {
    calls: 0,
    failures: 0,
    timeouts: 0,
    opened: 0,
    probes: 0,
    reconnects: 0,
  };
  lastError: string | undefined;
  #connection: RedisConnection;
  #openedAt: number;
  #closed = false;
  #inFlight = 0;
  #landed: () => void = () => undefined;
  readonly #nodes = new Map<string, Node>();

  constructor(
    private readonly driver: RedisDriver,
    private patienceUs: number,
    private readonly homeKey: string,
    private readonly clock: MonotonicUs,
    private readonly recovered: () => void,
  ) {
    this.#connection = driver.open();
    this.#openedAt = clock();
  }

  get cluster(): boolean {
    return this.driver.cluster;
  }

  get ready(): boolean {
    return !this.#closed && this.#connection.isReady();
  }

  get state(): BreakerState {
    let state: BreakerState = "closed";
    for (const { breaker } of this.#nodes.values()) {
      if (breaker.state === "open") return "open";
      if (breaker.state === "half-open") state = "half-open";
    }
    return state;
  }

  /** A probe may take as long as any request: a server that answers those is not away. */
  allow(deadlineUs: number): void {
    if (deadlineUs > this.patienceUs) this.patienceUs = deadlineUs;
  }

  /** Rejects with a StoreError, and never later than the deadline. */
  run<T>(
    call: Call,
    deadlineUs: number,
    heard: (reply: unknown) => T,
    late: (reply: unknown) => void = () => undefined,
  ): Promise<T> {
    const [key = this.homeKey] = call.keys;
    const node = this.#nodeOf(key);
    if (this.#closed) return Promise.reject(new StoreError("not-ready", false, "the store is closed"));
    if (!node.breaker.admits) return Promise.reject(new StoreError("not-ready", false, "the server is away"));
    this.counters.calls += 1;
    if (!this.#connection.isReady()) {
      const unready = new StoreError("not-ready", false, "there is no connection to the server");
      return Promise.reject(this.#failed(node, key, unready));
    }
    const connection = this.#connection;
    this.#inFlight += 1;
    let landed = false;
    return withDeadline(
      this.#send(connection, call),
      deadlineUs / 1000,
      (reply) => {
        landed = true;
        this.#land();
        node.breaker.succeeded(this.clock());
        return heard(reply);
      },
      (error) => {
        // What was heard may be what fails.
        if (!landed) this.#land();
        return this.#failed(node, key, error);
      },
      late,
      (error) => this.#sendText(connection, call, error),
    );
  }

  /** Nothing is sent any more; resolves when what was is answered, or its time is over. */
  drain(): Promise<void> {
    this.#closed = true;
    for (const { prober } of this.#nodes.values()) prober.stop();
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => void (this.#landed = resolve));
  }

  close(): void {
    void this.drain();
    this.#connection.destroy();
  }

  #land(): void {
    this.#inFlight -= 1;
    if (this.#inFlight === 0) this.#landed();
  }

  #send(connection: RedisConnection, { script, keys, values }: Call): Promise<unknown> {
    try {
      return connection.evalsha(script.sha1, keys, values);
    } catch (error) {
      return Promise.reject(storeErrorOf(error));
    }
  }

  /** Sent after it, on the same connection, to a server that said it does not know the script. */
  #sendText(
    connection: RedisConnection,
    { script, keys, values }: Call,
    error: unknown,
  ): Promise<unknown> | undefined {
    if (!isNoScript(error)) return undefined;
    try {
      return connection.eval(script.text, keys, values);
    } catch (thrown) {
      return Promise.reject(storeErrorOf(thrown));
    }
  }

  #nodeOf(key: string): Node {
    const name = this.driver.cluster ? (this.#connection.nodeOf?.(slotOf(key)) ?? "") : "";
    const known = this.#nodes.get(name);
    if (known !== undefined) return known;
    const breaker = new Breaker();
    const node: Node = { breaker, probeKey: key, astray: 0, prober: new Prober(() => this.#probe(node)) };
    this.#nodes.set(name, node);
    return node;
  }

  #failed(node: Node, key: string, cause: unknown): StoreError {
    const error = storeErrorOf(cause);
    this.counters.failures += 1;
    if (error.code === "timeout") this.counters.timeouts += 1;
    this.lastError = error.code;
    if (!this.#closed && node.breaker.failed(this.clock())) {
      this.counters.opened += 1;
      node.probeKey = key;
      node.prober.start();
    }
    return error;
  }

  async #probe(node: Node): Promise<Probed> {
    this.counters.probes += 1;
    let good = false;
    let astray = false;
    const ready = this.#connection.isReady();
    if (ready) {
      const sent = this.#connection;
      try {
        const call: Call = { script: PROBE, keys: [`${node.probeKey}?`], values: [] };
        good = await withDeadline(
          this.#send(sent, call),
          this.patienceUs / 1000,
          (reply) => reply === 1,
          storeErrorOf,
          () => undefined,
          (error) => this.#sendText(sent, call, error),
        );
      } catch (error) {
        if (error instanceof StoreError) {
          this.lastError = error.code;
          astray = sent === this.#connection && mayBeAstray(error);
        }
      }
      node.astray = astray ? node.astray + 1 : 0;
    }
    if (this.#closed) return "rest";
    if (!good) this.#mend(node);
    if (!node.breaker.probed(good)) {
      if (good) return "good";
      return astray ? "astray" : ready ? "bad" : "waiting";
    }
    this.recovered();
    return "rest";
  }

  /**
   * What leads nowhere, and what does not get ready, is begun anew: the other end may be gone without a word, or what a name stands for
   * may be another server by now. Of a cluster the way to one node alone, for the others go on.
   */
  #mend(node: Node): void {
    const unreadyUs = Math.max(UNREADY_US, UNREADY_DEADLINES * this.patienceUs);
    const connection = this.#connection;
    const stuck = !connection.isReady() && this.clock() - this.#openedAt > unreadyUs;
    if (!stuck && node.astray < ASTRAY_PROBES) {
      if (this.driver.cluster) connection.refresh?.();
      return;
    }
    this.counters.reconnects += 1;
    node.astray = 0;
    if (!stuck && this.driver.cluster && connection.renew?.(slotOf(node.probeKey)) === true) return;
    connection.destroy();
    this.#connection = this.driver.open();
    this.#openedAt = this.clock();
  }
}

/** No answer at all; or one of a server that takes no writes: it was the primary when the connection was made, and may never be again. */
function mayBeAstray({ code }: StoreError): boolean {
  return code === "timeout" || code === "readonly";
}
