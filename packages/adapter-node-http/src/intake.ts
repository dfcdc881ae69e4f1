/**
 * Every byte of a request's body passes `push`, in `http` and `http2` alike, before any way of reading can see it: pipes, iteration,
 * `data`, `readable`. So this is where bytes are counted, collected, or let go.
 */
import type { IncomingMessage } from "node:http";
import type { RawBody } from "@gatehouse/core";
import { isAborted } from "./types.js";

/** What may wait while the head is being decided; then the socket is paused. */
const HOLD_BYTES = 65_536;

const NOTHING = new Uint8Array();
const INTAKE = Symbol("gatehouse.intake");

type Mode = "hold" | "collect" | "count" | "pass" | "drop";
type Push = (this: IncomingMessage, chunk: unknown, encoding?: BufferEncoding) => boolean;
/** Undefined: the client left before the body was whole. */
export type Collected = (body: (RawBody & { readonly bytes: Uint8Array }) | undefined) => void;

interface Hooked extends IncomingMessage {
  [INTAKE]?: Intake;
}

/** The one hook of a request, made when first asked for. It holds what comes until it is told what to do with it. */
export function intakeOf(req: IncomingMessage): Intake {
  const hooked: Hooked = req;
  return (hooked[INTAKE] ??= new Intake(req));
}

/** Undefined where nobody had reason to look at the body. */
export function existingIntake(req: IncomingMessage): Intake | undefined {
  return (req as Hooked)[INTAKE];
}

export class Intake {
  private readonly native: Push;
  private chunks: Uint8Array[] = [];
  private size = 0;
  private ended = false;
  /** The stream's own end was pushed before the hook was there: its bytes stay in it until they are discarded. */
  private nativeEnded = false;
  private mode: Mode = "hold";
  private limit = HOLD_BYTES;
  private collected: Collected | undefined = undefined;
  private exceeded: (() => void) | undefined = undefined;
  /** There was more than the handler may read. It never sees an end: what it has would pass for the whole. */
  private cut = false;
  private over: (() => void) | undefined = undefined;

  constructor(private readonly req: IncomingMessage) {
    this.native = (req as unknown as { push: Push }).push;
    this.takeOver();
    (req as unknown as { push: Push }).push = push;
  }

  /** True when the whole body came and nothing of it is left on the wire. */
  get complete(): boolean {
    return this.ended;
  }

  /** Reads at most `limit` bytes and one more; the answer may come at once. None may come of a client that leaves: see `abandon`. */
  collect(limit: number, collected: Collected): void {
    this.mode = "collect";
    this.limit = limit;
    if (this.req.destroyed) return collected(undefined);
    if (this.ended || this.size > limit) return this.finish(collected);
    this.collected = collected;
    this.kick();
  }

  /** The handler reads by itself; `exceeded` is called once, and nothing beyond `limit` reaches the handler. */
  count(limit: number, exceeded: () => void): void {
    this.mode = "count";
    this.limit = limit;
    this.exceeded = exceeded;
    this.handOver();
  }

  /** What was held is put back as if nobody had looked. */
  replay(): void {
    this.mode = "pass";
    this.handOver();
  }

  /** What was collected is the engine's alone; whoever reads the request now finds its end. */
  keep(): void {
    this.discard();
    this.mode = "drop";
  }

  /** Called when the client has said all, whether or not a reader was told. */
  whenOver(over: () => void): void {
    this.over = over;
  }

  /** The answer is out: a reader that still waits for the rest learns that there is none. */
  release(): void {
    if (this.cut) this.req.destroy();
    else if (this.ended && this.mode === "drop") this.req.resume();
    else this.drop();
  }

  /** Nobody will read it: what still comes is thrown away. */
  drop(): void {
    this.keep();
    this.kick();
    this.req.resume();
  }

  take(chunk: unknown, encoding: BufferEncoding | undefined): boolean {
    if (chunk === null) return this.end();
    const bytes = typeof chunk === "string" ? Buffer.from(chunk, encoding) : (chunk as Uint8Array);
    switch (this.mode) {
      case "pass":
        return this.native.call(this.req, bytes);
      case "drop":
        return true;
      case "count":
        this.size += bytes.length;
        if (this.size <= this.limit) return this.native.call(this.req, bytes);
        this.overrun();
        return true;
      case "hold":
        this.add(bytes);
        return this.size < HOLD_BYTES;
      case "collect":
        this.add(bytes);
        if (this.size > this.limit) this.settle();
        return true;
    }
  }

  /** The client left while bytes were waited for. For who has to know; a passage hears of it by its response. */
  abandon(): void {
    const { collected } = this;
    this.collected = undefined;
    collected?.(undefined);
  }

  private add(bytes: Uint8Array): void {
    this.chunks.push(bytes);
    this.size += bytes.length;
  }

  private end(): boolean {
    // http2 ends a stream that the client reset the same way as one that is whole.
    if (isAborted(this.req)) {
      this.abandon();
      return this.native.call(this.req, null);
    }
    this.ended = true;
    if (this.mode === "collect") this.settle();
    else if (this.mode !== "hold" && !this.cut) this.native.call(this.req, null);
    this.over?.();
    return true;
  }

  private overrun(): void {
    const { exceeded } = this;
    this.mode = "drop";
    this.cut = true;
    exceeded?.();
  }

  private settle(): void {
    const { collected } = this;
    if (collected === undefined) return;
    this.collected = undefined;
    this.finish(collected);
  }

  private finish(collected: Collected): void {
    const complete = this.ended && this.size <= this.limit;
    // More may still come while the decision is made; it waits like what came before the first one.
    this.mode = "hold";
    collected({ bytes: this.bytes(), complete });
  }

  private bytes(): Uint8Array {
    const [first] = this.chunks;
    if (first === undefined) return NOTHING;
    return this.chunks.length === 1 ? first : Buffer.concat(this.chunks);
  }

  private discard(): void {
    this.chunks = [];
    if (this.nativeEnded) while (this.req.read() !== null);
    else if (this.ended && !this.cut) this.native.call(this.req, null);
  }

  private handOver(): void {
    const { chunks } = this;
    this.chunks = [];
    if (this.nativeEnded) return;
    if (this.mode === "count") this.size = 0;
    for (const chunk of chunks) this.take(chunk, undefined);
    // Only the mode of this moment counts: `count` may have turned into `drop` on the way.
    if (this.ended && !this.cut) this.native.call(this.req, null);
  }

  /** The source may be paused, or not have begun. `read(0)` would not do: it waits for a native push that never comes. */
  private kick(): void {
    if (!this.ended && !this.req.destroyed && !isAborted(this.req)) this.req._read(0);
  }

  /** Somebody was asynchronous before the guard: what already waits in the stream is taken out of it. */
  private takeOver(): void {
    const { req } = this;
    if (req.readableLength === 0 && !req.readableEnded) return;
    for (let chunk: unknown = req.read(); chunk !== null; chunk = req.read()) {
      this.add(chunk as Uint8Array);
    }
    this.ended = req.complete;
    this.nativeEnded = this.ended;
    // Put back in the same tick, before the stream can say that it ended.
    if (this.nativeEnded && this.size > 0) req.unshift(Buffer.concat(this.chunks));
  }
}

function push(this: Hooked, chunk: unknown, encoding?: BufferEncoding): boolean {
  return this[INTAKE]?.take(chunk, encoding) ?? false;
}

/**
 * The body as bytes, at most `limit` and one more: `complete: false` says that there is more.
 * @throws Error (rejects) when the client leaves before the body is whole
 */
export async function readBody(req: IncomingMessage, limit: number): Promise<RawBody> {
  return new Promise((resolve, reject) => {
    const intake = intakeOf(req);
    intake.collect(limit, (body) => {
      if (body === undefined) reject(new Error("the client left before its body was whole"));
      else resolve(body);
    });
    req.once("close", () => intake.abandon());
  });
}
