/** Observe mode: every byte goes out as the handler wrote it, and the engine is shown a copy. */
import type { ServerResponse } from "node:http";
import type { Exchange, HeaderField } from "@gatehouse/core";
import { Collector } from "./answer/collector.js";
import { HandlerFields, type FieldsArgument } from "./answer/fields.js";
import { bytesOf } from "./answer/framing.js";
import type { AnswerSettings } from "./answer/interception.js";
import { nativeOf, type Chunk, type Native } from "./answer/wire.js";

const OBSERVER = Symbol("gatehouse.observer");

interface Observed extends ServerResponse {
  [OBSERVER]?: Observer;
}

/** What a rule would have cut is reported when the answer ends; a limit that settles by the answer is shown its bytes. */
export function observeResponse(res: ServerResponse, exchange: Exchange, settings: AnswerSettings): void {
  (res as Observed)[OBSERVER] = new Observer(res, exchange, settings);
  const target = res as unknown as Record<string, unknown>;
  target["writeHead"] = writeHead;
  target["write"] = write;
  target["end"] = end;
}

class Observer {
  readonly native: Native;
  given: unknown = undefined;
  private collector: Collector | undefined;
  private begun = false;

  constructor(
    private readonly res: ServerResponse,
    private readonly exchange: Exchange,
    private readonly settings: AnswerSettings,
  ) {
    this.native = nativeOf(res);
    this.collector = exchange.responseNeedsBody ? new Collector(settings.responseLimit) : undefined;
  }

  see(chunk: unknown, encoding: unknown): void {
    if (!this.begun) this.begin();
    if (!isChunk(chunk)) return;
    const known = typeof encoding === "string" ? (encoding as BufferEncoding) : undefined;
    if (this.exchange.streamsEvents) this.exchange.event(bytesOf(chunk, known));
    else if (this.exchange.watchesAnswer) this.exchange.saw(bytesOf(chunk, known));
    // An answer beyond the limit is not kept: the report is what is lost, never the answer.
    if (this.collector?.add(chunk, known) === false) this.collector = undefined;
  }

  /** The answer is whole. */
  tell(): void {
    const { collector } = this;
    if (collector === undefined) return;
    this.collector = undefined;
    this.respond(collector.body());
  }

  private begin(): void {
    this.begun = true;
    if (this.collector !== undefined && !this.headSettles()) return;
    this.collector = undefined;
    this.respond(undefined);
  }

  private headSettles(): boolean {
    return this.exchange.headSettles({ status: this.res.statusCode, headers: this.fields() });
  }

  private respond(body: Chunk | undefined): void {
    try {
      const headers = this.fields();
      this.exchange.respond({
        status: this.res.statusCode,
        headers,
        ...(body === undefined ? {} : { body }),
      });
    } catch (error) {
      this.settings.onError(error);
    }
  }

  private fields(): HeaderField[] {
    const fields = new HandlerFields();
    // HTTP/2 keeps the status among them once it has left.
    for (const [name, value] of Object.entries(this.res.getHeaders())) {
      if (value !== undefined && !name.startsWith(":")) fields.set(name, value);
    }
    if (typeof this.given === "object" && this.given !== null) fields.merge(this.given as FieldsArgument);
    return fields.pairs();
  }
}

function observerOf(res: Observed): Observer {
  const observer = res[OBSERVER];
  if (observer === undefined) throw new TypeError("an observed method was called on another response");
  return observer;
}

function writeHead(this: Observed, ...given: unknown[]): unknown {
  const observer = observerOf(this);
  observer.given = given.at(-1);
  return Reflect.apply(observer.native.writeHead, this, given);
}

function write(this: Observed, ...given: unknown[]): unknown {
  const observer = observerOf(this);
  observer.see(given[0], given[1]);
  return Reflect.apply(observer.native.write, this, given);
}

function end(this: Observed, ...given: unknown[]): unknown {
  const observer = observerOf(this);
  if (!this.writableEnded) {
    observer.see(given[0], given[1]);
    observer.tell();
  }
  return Reflect.apply(observer.native.end, this, given);
}

function isChunk(chunk: unknown): chunk is Chunk {
  return typeof chunk === "string" || chunk instanceof Uint8Array;
}
