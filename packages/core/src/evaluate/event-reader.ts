/**
 * Bytes of a stream of server-sent events to events (HTML standard, "Parsing an event stream"). A chunk may end anywhere: lines are
 * kept as bytes until they are whole, and CR and LF are never part of another character in UTF-8.
 */

/** Bytes of one line, and of all `data` lines of one event: what is larger would be kept for as long as it grows. */
export const MAX_EVENT = 1024 * 1024;

/** One event as the handler wrote it: what an empty line ended. */
export interface WrittenEvent {
  /** Lines joined by LF; undefined where there were none. */
  readonly data: string | undefined;
  readonly type: string | undefined;
  readonly id: string | undefined;
  readonly retry: string | undefined;
  /** False: some line was no UTF-8, so that nobody can say what it meant. */
  readonly readable: boolean;
}

export interface EventSink {
  event(event: WrittenEvent): void;
  /** A comment: keeps the connection alive, and is told once an event. */
  comment(): void;
}

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;

export class EventReader {
  #line: Uint8Array = new Uint8Array(256);
  #length = 0;
  #first = true;
  #afterCr = false;
  #event = new OpenEvent();

  constructor(private readonly sink: EventSink) {}

  /** @returns false when an event is larger than `MAX_EVENT`; nothing can be read from there on */
  read(chunk: Uint8Array): boolean {
    let start = 0;
    for (let index = 0; index < chunk.length; index++) {
      const byte = chunk[index];
      const pair = byte === LF && this.#afterCr;
      this.#afterCr = byte === CR;
      if (pair) start = index + 1;
      else if (byte === LF || byte === CR) {
        if (!this.#endLine(chunk.subarray(start, index))) return false;
        start = index + 1;
      }
    }
    return this.#keep(chunk.subarray(start));
  }

  #endLine(rest: Uint8Array): boolean {
    if (this.#length === 0) return rest.length <= MAX_EVENT && this.#take(rest);
    if (!this.#keep(rest)) return false;
    const line = this.#line.subarray(0, this.#length);
    this.#length = 0;
    return this.#take(line);
  }

  /** Copied: the handler may use its buffer again. */
  #keep(bytes: Uint8Array): boolean {
    const length = this.#length + bytes.length;
    if (length > MAX_EVENT) return false;
    if (length > this.#line.length) {
      const larger = new Uint8Array(Math.max(length, this.#line.length * 2));
      larger.set(this.#line.subarray(0, this.#length));
      this.#line = larger;
    }
    this.#line.set(bytes, this.#length);
    this.#length = length;
    return true;
  }

  #take(written: Uint8Array): boolean {
    const line = this.#first ? withoutMark(written) : written;
    this.#first = false;
    if (line.length === 0) this.#dispatch();
    else if (line[0] === COLON) {
      if (this.#event.comments++ === 0) this.sink.comment();
    } else return this.#event.add(line);
    return true;
  }

  #dispatch(): void {
    const event = this.#event;
    if (event.isEmpty) event.comments = 0;
    else {
      this.#event = new OpenEvent();
      this.sink.event(event.whole());
    }
  }
}

/** Bytes that only look like a mark further on are text. */
function withoutMark(line: Uint8Array): Uint8Array {
  return BYTE_ORDER_MARK.every((byte, index) => line[index] === byte) ? line.subarray(3) : line;
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What is known of an event before its empty line. */
class OpenEvent {
  comments = 0;
  isEmpty = true;
  readonly #data: string[] = [];
  #size = 0;
  #type: string | undefined = undefined;
  #id: string | undefined = undefined;
  #retry: string | undefined = undefined;
  #readable = true;

  /** @returns false when that is more than is kept */
  add(line: Uint8Array): boolean {
    this.isEmpty = false;
    let text: string;
    try {
      text = UTF8.decode(line);
    } catch {
      this.#readable = false;
      return true;
    }
    const colon = text.indexOf(":");
    const name = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? "" : text.slice(text[colon + 1] === " " ? colon + 2 : colon + 1);
    if (name === "data") return this.#addData(value, line.length);
    if (name === "event") this.#type = value;
    // As browsers do: an id with NUL is none, and the one before it stays.
    else if (name === "id" && !value.includes("\0")) this.#id = value;
    else if (name === "retry" && /^[0-9]{1,15}$/u.test(value)) this.#retry = value;
    return true;
  }

  whole(): WrittenEvent {
    return {
      data: this.#data.length === 0 ? undefined : this.#data.join("\n"),
      type: this.#type,
      id: this.#id,
      retry: this.#retry,
      readable: this.#readable,
    };
  }

  #addData(value: string, size: number): boolean {
    this.#size += size;
    if (this.#size > MAX_EVENT) return false;
    this.#data.push(value);
    return true;
  }
}
