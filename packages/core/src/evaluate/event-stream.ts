/** A stream of events on its way out: each event's data is projected, redacted and written anew. No other text of it leaves. */
import type { BodyRule } from "../model/compiled.js";
import { EventReader, MAX_EVENT, type EventSink, type WrittenEvent } from "./event-reader.js";
import type { ExchangeState } from "./state.js";

const UTF8 = new TextEncoder();
const TOO_LARGE = `an event is larger than ${MAX_EVENT} bytes`;

export class EventStream implements EventSink {
  /** Why nothing more can leave. Never in observe mode. */
  broken: Error | undefined = undefined;
  #blind = false;
  readonly #reader = new EventReader(this);
  #out = "";
  /** Events by the reason why they did not leave: a stream may have more of them than anybody could keep. */
  readonly #dropped = new Map<string, number>();
  #cut = 0;

  constructor(
    private readonly rule: BodyRule,
    private readonly status: number,
    private readonly state: ExchangeState,
  ) {}

  /** @returns what may go out now. In observe mode that is what the handler wrote */
  pass(chunk: Uint8Array): Uint8Array | undefined {
    if (!this.#blind) this.#read(chunk);
    if (this.state.route.observe) return chunk;
    if (this.#out === "") return undefined;
    const bytes = UTF8.encode(this.#out);
    this.#out = "";
    return bytes;
  }

  /** Tells what did not leave. An event that its stream did not end is none, to a browser too. */
  tell(): void {
    const would = this.state.route.observe;
    for (const [reason, count] of this.#dropped) {
      this.state.report(`events ${would ? "that would have been " : ""}dropped: ${count}, because ${reason}`);
    }
    if (would && this.#cut > 0) this.state.report(`events that would have been cut: ${this.#cut}`);
    this.#dropped.clear();
    this.#cut = 0;
  }

  /** What a comment says is nobody's to read. */
  comment(): void {
    this.#write(":\n\n");
  }

  event({ data, type, id, retry, readable }: WrittenEvent): void {
    if (!readable) return this.#drop("it is not UTF-8");
    let text = "";
    if (data !== undefined) {
      const left = this.#project(data);
      if (left === undefined) return;
      if (type !== undefined) text += `event: ${type}\n`;
      text += `data: ${left}\n`;
    }
    // Without data these still say where to go on, and when.
    if (id !== undefined) text += `id: ${id}\n`;
    if (retry !== undefined) text += `retry: ${retry}\n`;
    if (text !== "") this.#write(`${text}\n`);
  }

  /** Undefined: the event does not leave. */
  #project(data: string): string | undefined {
    let value: unknown;
    try {
      value = JSON.parse(data);
    } catch {
      this.#drop("its data is not JSON");
      return undefined;
    }
    const outcome = this.rule.apply(value, this.status, this.state);
    if (outcome.kind === "withheld") this.#drop(outcome.reason);
    if (outcome.kind !== "json") {
      if (outcome.kind === "empty") this.#cut++;
      return undefined;
    }
    const { encode } = this.state.route.response;
    const json = JSON.stringify(outcome.value);
    if (this.state.route.observe && json !== written(value)) this.#cut++;
    return encode === undefined ? json : encode(json);
  }

  #read(chunk: Uint8Array): void {
    try {
      if (!this.#reader.read(chunk)) this.#break(TOO_LARGE);
    } catch (error) {
      // What failed half-way does not leave.
      this.#break("the rule of its events failed", error);
    }
  }

  #break(reason: string, cause?: unknown): void {
    this.#blind = true;
    if (this.state.route.observe) {
      this.state.report(`the response rule would have cut a stream of events: ${reason}`);
      return;
    }
    this.broken = new Error(
      `a stream of events was cut: ${reason}`,
      cause === undefined ? undefined : { cause },
    );
    this.state.error ??= this.broken;
  }

  #drop(reason: string): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
  }

  /** Observe mode sends what the handler wrote: nothing is kept to be sent. */
  #write(text: string): void {
    if (!this.state.route.observe) this.#out += text;
  }
}

/** Undefined: too deep for that, so nothing like what is left of it. */
function written(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
