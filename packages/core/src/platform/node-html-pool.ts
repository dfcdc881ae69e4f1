/** Worker threads for texts that would hold up the thread that serves. Started when the first such text comes. */
import { Worker } from "node:worker_threads";
import type { HtmlBounds, HtmlResult, HtmlText } from "../ports/html-sanitizer.js";

export interface HtmlJob {
  readonly id: number;
  readonly texts: readonly HtmlText[];
  readonly bounds: HtmlBounds;
}

/** `id` 0: the worker has proved itself and is ready. */
export interface HtmlReply {
  readonly id: number;
  readonly result: HtmlResult;
}

export interface HtmlPoolSettings {
  /** Code of the worker. */
  readonly source: string;
  /** URL or path of a module beside which the peers are installed. */
  readonly from: string;
  /** Most workers; each holds a DOM of some 100 MB. */
  readonly workers: number;
  /** Most jobs that wait for a worker; more are turned away at once. */
  readonly waiting: number;
  /** Milliseconds until a worker must be ready: loading jsdom takes a second or two. */
  readonly startMs: number;
  /** Milliseconds that a job waits for a worker, once one is ready. */
  readonly waitMs: number;
  /** Milliseconds until a job must be done. */
  readonly jobMs: number;
}

interface Waiting {
  readonly job: HtmlJob;
  readonly resolve: (result: HtmlResult) => void;
  readonly reject: (error: Error) => void;
  timer: NodeJS.Timeout | undefined;
}

/** A worker gets memory for its DOM and no more: a text that wants all of it ends the worker, not the process. */
const HEAP_MB = 256;

export class HtmlPool {
  readonly #threads = new Set<Thread>();
  readonly #queue: Waiting[] = [];
  #ids = 0;
  #closed = false;

  constructor(private readonly settings: HtmlPoolSettings) {}

  /** Rejects when the worker died, was late, or could not be had: the texts are then refused. */
  run(texts: readonly HtmlText[], bounds: HtmlBounds): Promise<HtmlResult> {
    if (this.#closed) return Promise.reject(new Error("the engine is closed"));
    if (this.#queue.length >= this.settings.waiting)
      return Promise.reject(new Error("too many texts wait to be sanitized"));
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { job: { id: ++this.#ids, texts, bounds }, resolve, reject, timer: undefined };
      this.#queue.push(waiting);
      this.#next();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#rejectAll("the engine is closed");
    await Promise.all([...this.#threads].map((thread) => thread.end("the engine is closed")));
  }

  #next(): void {
    for (const thread of this.#threads) {
      const waiting = thread.idle ? this.#queue.shift() : undefined;
      if (waiting === undefined) continue;
      clearTimeout(waiting.timer);
      thread.take(waiting);
    }
    if (this.#queue.length === 0 || this.#closed) return;
    const threads = [...this.#threads];
    if (threads.length < this.settings.workers && !threads.some((thread) => thread.starting)) this.#start();
    // The first worker takes its time to start, and nobody is to be turned away for that.
    if (threads.some((thread) => !thread.starting)) for (const waiting of this.#queue) this.#limit(waiting);
  }

  #start(): void {
    try {
      this.#threads.add(
        new Thread(this.settings, {
          free: () => this.#next(),
          gone: (thread, wasReady) => this.#lost(thread, wasReady),
        }),
      );
    } catch {
      // Node throws where it may start no threads, or the system has none left. Those that there are go on.
      if (this.#threads.size === 0) this.#rejectAll("no worker could be started");
    }
  }

  #limit(waiting: Waiting): void {
    waiting.timer ??= setTimeout(() => {
      const at = this.#queue.indexOf(waiting);
      if (at !== -1) this.#queue.splice(at, 1);
      waiting.reject(new Error("no worker was free in time"));
    }, this.settings.waitMs);
  }

  #lost(thread: Thread, wasReady: boolean): void {
    this.#threads.delete(thread);
    // One that cannot even start would be started again for ever, while everybody waits.
    if (!wasReady && this.#threads.size === 0) this.#rejectAll("no worker could be started");
    this.#next();
  }

  #rejectAll(reason: string): void {
    for (const { reject, timer } of this.#queue.splice(0)) {
      clearTimeout(timer);
      reject(new Error(reason));
    }
  }
}

interface ThreadEvents {
  free(): void;
  gone(thread: Thread, wasReady: boolean): void;
}

class Thread {
  readonly #worker: Worker;
  #ready = false;
  #current: Waiting | undefined;
  #timer: NodeJS.Timeout;
  #gone = false;

  constructor(
    private readonly settings: HtmlPoolSettings,
    private readonly events: ThreadEvents,
  ) {
    this.#worker = new Worker(settings.source, {
      eval: true,
      workerData: { from: settings.from },
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
      // Nothing of the application's is its business: no environment, no flags, nothing written.
      env: {},
      execArgv: [],
      stdin: false,
      stdout: true,
      stderr: true,
    });
    this.#worker.on("message", (reply: HtmlReply) => this.#hear(reply));
    this.#worker.on("error", (error) => void this.end(`a worker failed: ${error.name}`));
    this.#worker.on("exit", () => void this.end("a worker ended"));
    this.#timer = setTimeout(() => void this.end("a worker did not start in time"), settings.startMs);
  }

  get idle(): boolean {
    return this.#ready && !this.#gone && this.#current === undefined;
  }

  get starting(): boolean {
    return !this.#ready && !this.#gone;
  }

  take(waiting: Waiting): void {
    this.#current = waiting;
    // Held while somebody waits, let go while nobody does: an idle worker keeps no process alive.
    this.#worker.ref();
    this.#timer = setTimeout(() => void this.end("sanitizing took too long"), this.settings.jobMs);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    this.#worker.postMessage(waiting.job);
  }

  #hear({ id, result }: HtmlReply): void {
    if (this.#gone) return;
    clearTimeout(this.#timer);
    if (!this.#ready) this.#ready = true;
    else if (this.#current?.job.id === id) {
      const { resolve } = this.#current;
      this.#current = undefined;
      resolve(result);
    }
    this.#worker.unref();
    this.events.free();
  }

  /** Whatever it was doing is refused. */
  async end(reason: string): Promise<void> {
    if (this.#gone) return;
    this.#gone = true;
    clearTimeout(this.#timer);
    this.#current?.reject(new Error(reason));
    this.#current = undefined;
    this.events.gone(this, this.#ready);
    await this.#worker.terminate();
  }
}
