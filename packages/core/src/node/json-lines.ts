/** Events as lines of JSON, in a file or on a stream. No request waits for them; what does not fit is dropped and counted. */
import type { DecisionEvent, DecisionSink, ServedPolicy } from "../index.js";
import { plainEvent } from "../events/plain.js";
import { checkOptions, duration, FUNCTION, oneOf, type OptionTest, TEXT, TRUTH } from "../errors/options.js";
import { parseDuration } from "../lib/duration.js";
import { weightOf } from "../events/weight.js";
import { heardBy } from "../lib/heard.js";
import { oneAfterAnother } from "../lib/in-turn.js";
import { parseSize } from "../lib/size.js";
import { LogChain } from "./log-chain.js";
import { CutLineError, FileTarget, StreamTarget, type LogTarget } from "./log-target.js";
import { publicOf, type SigningKey } from "./signing.js";

export interface JsonLinesOptions {
  /** Path of a file that is appended to; made with mode 600. Exactly one of `file` and `stream`. */
  readonly file?: string;
  readonly stream?: "stdout" | "stderr";
  /** Events that wait at most. Default 10,000: about 10 MB. */
  readonly maxQueued?: number;
  /** Memory that they take at most, those that are being written included, whatever callers put into them. Default `64MB`. */
  readonly maxQueuedSize?: string | number;
  /** The policy's document stands before the first event that it decided, so that the log can be replayed by itself. Default true. */
  readonly policies?: boolean;
  /** Every line carries the hash of the one before it, and signed heads stand between. */
  readonly chain?: ChainOptions;
  /** What could not be written. Default: `process.emitWarning`, once for each kind until it is over. */
  readonly onProblem?: (problem: LogProblem) => void;
}

export interface ChainOptions {
  /** Private; its public half verifies. */
  readonly key: SigningKey;
  /** Lines after which a head is signed. Default 1000. */
  readonly everyLines?: number;
  /** Time after which lines do not stay unsigned. Default `10s`. */
  readonly everyTime?: string;
}

export interface LogProblem {
  /**
   * `full`: events came faster than they could be written. `write`: the file or stream did not take them. `closed`: they came after `close`.
   * `event`: JSON has no word for what stands in them.
   */
  readonly kind: "full" | "write" | "closed" | "event";
  /** Events that are lost since the last time that this was told. */
  readonly dropped: number;
  /** Code of the system's error, such as `ENOSPC`. */
  readonly code?: string;
}

export interface LogStatus {
  readonly written: number;
  readonly dropped: number;
  readonly queued: number;
}

export interface JsonLines extends DecisionSink {
  readonly status: LogStatus;
  /** Resolves when all that was handed over is written, or dropped. */
  flush(): Promise<void>;
  /** The file again by its name: for what rotates logs. @throws Error (rejects) where it cannot be opened: the old one goes on; or cannot be begun: that is tried again with the next event */
  reopen(): Promise<void>;
  /** Writes what waits, signs the last head, and lets go of the file. What comes later is dropped. */
  close(): Promise<void>;
}

const COUNT: OptionTest = [
  "a whole number from 1",
  (value) => Number.isSafeInteger(value) && Number(value) > 0,
];
const SIZE: OptionTest = [
  "a size from 1, such as `64MB`",
  (value) => (typeof value === "string" || typeof value === "number") && (parseSize(value) ?? 0) > 0,
];
const OPTIONS = {
  file: TEXT,
  stream: oneOf("stdout", "stderr"),
  maxQueued: COUNT,
  maxQueuedSize: SIZE,
  policies: TRUTH,
  chain: ["an object", (value: unknown) => typeof value === "object" && value !== null],
  onProblem: FUNCTION,
} as const satisfies Readonly<Record<keyof JsonLinesOptions, OptionTest>>;
const CHAIN_OPTIONS = {
  key: ["a key with `kid`, `algorithm` and `privateKey`", isKey],
  everyLines: COUNT,
  everyTime: duration("1d", "1s"),
} as const satisfies Readonly<Record<keyof ChainOptions, OptionTest>>;

/**
 * @throws TypeError (rejects) where an option is wrong
 * @throws Error (rejects) where the file cannot be opened or the key cannot sign
 */
export async function jsonLines(options: JsonLinesOptions): Promise<JsonLines> {
  checkOptions(options, "jsonLines", OPTIONS);
  const { file, stream, chain } = options;
  if ((file === undefined) === (stream === undefined)) {
    throw new TypeError("`jsonLines` needs exactly one of `file` and `stream`");
  }
  if (chain !== undefined) {
    checkOptions(chain, "jsonLines.chain", CHAIN_OPTIONS);
    if (chain.key === undefined) throw new TypeError("`chain` of `jsonLines` needs a `key`");
    publicOf(chain.key);
  }
  const target =
    file === undefined
      ? new StreamTarget(stream === "stderr" ? process.stderr : process.stdout)
      : await FileTarget.at(file);
  const log = new LineLog(target, options);
  await log.begin();
  return log;
}

function isKey(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    ["kid", "algorithm", "privateKey"].every((name) => name in value)
  );
}

interface Waiting {
  readonly event: DecisionEvent;
  /** Bytes, about. */
  readonly weight: number;
  readonly kept?: () => void;
  readonly lost?: (error: Error) => void;
}

/** Of one write: an event is about 500 bytes. */
const BATCH = 512;
/** Policies whose document is at hand, where several engines share a log. */
const POLICIES = 32;

class LineLog implements JsonLines {
  readonly #queue: Waiting[] = [];
  readonly #policies = new Map<string, ServedPolicy>();
  readonly #inTurn = oneAfterAnother();
  readonly #maxQueued: number;
  readonly #maxWeight: number;
  readonly #chain: LogChain | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  #toldPolicies = new Set<string>();
  /** Of what waits, and of what is being written. */
  #weight = 0;
  #written = 0;
  #dropped = 0;
  /** Dropped and not yet told in the log itself. */
  #untold = 0;
  #scheduled = false;
  #closed = false;
  /** A part of a line stands at the end of the file. */
  #cut = false;
  #silent = new Set<LogProblem["kind"]>();
  /** The file has no start yet, which could not be written: without it, its lines would be of no chain. */
  #owed: { readonly prev: string | null } | undefined;

  constructor(
    private readonly target: LogTarget,
    private readonly options: JsonLinesOptions,
  ) {
    const { chain, maxQueued = 10_000, maxQueuedSize = "64MB" } = options;
    this.#maxQueued = maxQueued;
    this.#maxWeight = parseSize(maxQueuedSize) ?? 0;
    if (chain === undefined) return;
    this.#chain = new LogChain(chain.key);
    this.#timer = setInterval(
      () => void this.seal(),
      parseDuration(chain.everyTime ?? "10s") ?? 10_000,
    ).unref();
  }

  /** A chain goes on from what stands in the file. */
  async begin(): Promise<void> {
    const { hash, cut } = await this.target.tail();
    this.#cut = cut;
    await this.startChain(hash);
  }

  get status(): LogStatus {
    return { written: this.#written, dropped: this.#dropped, queued: this.#queue.length };
  }

  write(event: DecisionEvent): void {
    this.add({ event, weight: weightOf(event) });
  }

  commit(event: DecisionEvent): Promise<void> {
    return new Promise((kept, lost) => this.add({ event, weight: weightOf(event), kept, lost }));
  }

  policy(served: ServedPolicy): void {
    if (this.options.policies === false) return;
    this.#policies.delete(served.revision);
    this.#policies.set(served.revision, served);
    const [oldest] = this.#policies.keys();
    if (this.#policies.size > POLICIES && oldest !== undefined) this.#policies.delete(oldest);
  }

  flush(): Promise<void> {
    return this.#inTurn(() => this.drain());
  }

  reopen(): Promise<void> {
    return this.#inTurn(async () => {
      await this.drain();
      // The last head may find no room, where the disk is full: what cannot be let go then keeps it full. The next file signs for this one.
      const last = await this.end().catch(() => this.#chain?.place.prev ?? null);
      await this.target.reopen();
      this.#cut = (await this.target.tail()).cut;
      this.#toldPolicies = new Set();
      await this.startChain(last);
    });
  }

  close(): Promise<void> {
    if (this.#closed) return this.flush();
    this.#closed = true;
    clearInterval(this.#timer);
    return this.#inTurn(async () => {
      await this.drain();
      try {
        await this.end();
      } finally {
        await this.target.close();
      }
    });
  }

  private add(waiting: Waiting): void {
    const full = this.#queue.length >= this.#maxQueued || this.#weight + waiting.weight > this.#maxWeight;
    if (this.#closed || full) {
      this.drop([waiting], { kind: this.#closed ? "closed" : "full" });
      return;
    }
    this.#queue.push(waiting);
    this.#weight += waiting.weight;
    if (this.#scheduled) return;
    this.#scheduled = true;
    // After the requests that are being answered in this turn: one write takes what they all had to say.
    setImmediate(() => void this.flush());
  }

  private drop(lost: readonly Waiting[], why: Pick<LogProblem, "kind" | "code">): void {
    this.#dropped += lost.length;
    this.#untold += lost.length;
    for (const one of lost) one.lost?.(new Error("the event was dropped"));
    if (this.#silent.has(why.kind)) return;
    this.#silent.add(why.kind);
    const { onProblem = warn } = this.options;
    heardBy(onProblem, { ...why, dropped: this.#untold });
  }

  private async drain(): Promise<void> {
    this.#scheduled = false;
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, BATCH);
      const place = this.#chain?.place;
      const untold = this.#untold;
      const told = this.#toldPolicies;
      const odd: Waiting[] = [];
      try {
        if (this.#owed !== undefined) await this.startChain(this.#owed.prev);
        const text = this.textOf(batch, odd);
        if (text !== "") await this.put(text);
        if (batch.some(({ kept }) => kept !== undefined)) await this.target.sync();
      } catch (error) {
        if (place !== undefined) this.#chain?.back(place);
        this.#toldPolicies = told;
        this.#untold = untold;
        this.drop(batch, { kind: "write", ...codeOf(error) });
        continue;
      } finally {
        for (const { weight } of batch) this.#weight -= weight;
      }
      this.#silent = new Set(odd.length > 0 && this.#silent.has("event") ? ["event"] : []);
      this.#written += batch.length - odd.length;
      for (const one of batch) if (!odd.includes(one)) one.kept?.();
      if (odd.length > 0) this.drop(odd, { kind: "event" });
      await this.sealWhen(this.options.chain?.everyLines ?? 1000);
    }
  }

  /** What stands after a line that was cut begins a line of its own. */
  private async put(text: string): Promise<void> {
    try {
      await this.target.write(this.#cut ? `\n${text}` : text);
      this.#cut = false;
    } catch (error) {
      this.#cut ||= error instanceof CutLineError;
      throw error;
    }
  }

  /** @param odd gets those that cannot be written, whatever takes them: they cost no other its line */
  private textOf(batch: readonly Waiting[], odd: Waiting[]): string {
    let text = "";
    const add = (value: object): void => {
      text += `${this.#chain === undefined ? JSON.stringify(value) : this.#chain.next(value)}\n`;
    };
    if (this.#untold > 0) {
      add({ type: "dropped", time: Date.now(), count: this.#untold });
      this.#untold = 0;
    }
    for (const one of batch) {
      this.addPolicy(one.event.revision, add);
      try {
        add({ type: "decision", ...plainEvent(one.event) });
      } catch {
        odd.push(one);
      }
    }
    return text;
  }

  private addPolicy(revision: string, add: (value: object) => void): void {
    const served = this.#policies.get(revision);
    if (served === undefined || this.#toldPolicies.has(revision)) return;
    // A new set: where the write fails the old one stands again.
    this.#toldPolicies = new Set([...this.#toldPolicies, revision]);
    add({ type: "policy", time: Date.now(), ...served });
  }

  private seal(): Promise<void> {
    return this.#inTurn(() => this.sealWhen(1));
  }

  /** Heads that cannot be written are written later: the lines before them stay unsigned until then, and the log says so. */
  private async sealWhen(lines: number): Promise<void> {
    const chain = this.#chain;
    if (chain === undefined || this.#owed !== undefined || chain.place.unsealed < lines) return;
    await this.putHead(chain, false).catch(() => undefined);
  }

  /** @param prev hash of the line that the file goes on from */
  private async startChain(prev: string | null): Promise<void> {
    if (this.#chain === undefined) return;
    this.#owed = { prev };
    await this.put(`${this.#chain.start(prev, Date.now())}\n`);
    this.#owed = undefined;
  }

  /** A head that was not written is none of the chain. */
  private async putHead(chain: LogChain, last: boolean): Promise<void> {
    const { place } = chain;
    try {
      await this.put(`${chain.head(Date.now(), last)}\n`);
    } catch (error) {
      chain.back(place);
      throw error;
    }
  }

  /** @returns hash of the last line, for the file that follows */
  private async end(): Promise<string | null> {
    if (this.#chain === undefined) return null;
    if (this.#owed !== undefined) return this.#owed.prev;
    await this.putHead(this.#chain, true);
    await this.target.sync();
    return this.#chain.place.prev;
  }
}

function codeOf(error: unknown): { readonly code?: string } {
  const cause = error instanceof CutLineError ? error.cause : error;
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined;
  return typeof code === "string" ? { code } : {};
}

const WHY: Readonly<Record<LogProblem["kind"], string>> = {
  full: "more events came than could be written",
  write: "the log cannot be written",
  closed: "the log was closed before",
  event: "an event cannot be said in JSON",
};

function warn({ kind, dropped, code }: LogProblem): void {
  const why = code === undefined ? WHY[kind] : `${WHY[kind]} (${code})`;
  process.emitWarning(`${why}; events dropped: ${dropped}`, "GatehouseWarning");
}
