/**
 * Looks at an answer that streams through, where a limit settles by a pointer into it. Nothing is held back: JSON is
 * collected up to a bound, an event stream is read event by event. What cannot be read leaves the estimate standing.
 */
import type { HeaderField } from "../model/request.js";
import type { RawResponse } from "../model/response.js";
import type { Settlement } from "../model/state.js";

/** More than this of one JSON answer, or of one event, is not worth the memory: the estimate stands. */
const MAX_LENGTH = 1024 * 1024;

export interface AnswerWatch {
  saw(chunk: Uint8Array): void;
  /** The whole answer, for JSON; undefined otherwise. */
  value(): unknown;
}

const UTF8 = new TextEncoder();

/** Of an answer that streams through, or of a stream of events that is there as a whole. */
export function watchOf(
  { headers, body }: RawResponse,
  settlements: readonly Settlement[],
): AnswerWatch | undefined {
  if (body === undefined) return watchAnswer(headers, settlements);
  const watch = watchAnswer(headers, settlements);
  if (!(watch instanceof EventWatch)) return undefined;
  if (typeof body === "string") watch.saw(UTF8.encode(body));
  else if (body instanceof Uint8Array) watch.saw(body);
  return watch;
}

/** Undefined: the answer is of a type that no pointer goes into. */
export function watchAnswer(
  headers: readonly HeaderField[],
  settlements: readonly Settlement[],
): AnswerWatch | undefined {
  let essence = "";
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (lower === "content-encoding" && value.toLowerCase() !== "identity") return undefined;
    if (lower === "content-type") essence = (value.split(";", 1)[0] ?? "").trim().toLowerCase();
  }
  if (essence === "text/event-stream") return new EventWatch(settlements);
  return essence === "application/json" || essence.endsWith("+json") ? new JsonWatch() : undefined;
}

class JsonWatch implements AnswerWatch {
  readonly #decoder = new TextDecoder();
  #text: string | undefined = "";

  saw(chunk: Uint8Array): void {
    if (this.#text === undefined) return;
    this.#text += this.#decoder.decode(chunk, { stream: true });
    if (this.#text.length > MAX_LENGTH) this.#text = undefined;
  }

  value(): unknown {
    return this.#text === undefined ? undefined : parsed(this.#text);
  }
}

/** Server-sent events (HTML standard, "Parsing an event stream"): `data` lines up to an empty line are one event. */
class EventWatch implements AnswerWatch {
  readonly #decoder = new TextDecoder();
  #rest = "";
  #data: string | undefined = undefined;

  constructor(private readonly settlements: readonly Settlement[]) {}

  saw(chunk: Uint8Array): void {
    this.#rest += this.#decoder.decode(chunk, { stream: true });
    // A line ends by CR LF, LF or CR; a CR at the very end may be the first half of the pair.
    const lines = this.#rest.split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line);
    if (this.#rest.length > MAX_LENGTH) this.#rest = "";
  }

  value(): undefined {
    return undefined;
  }

  #line(line: string): void {
    if (line === "") {
      if (this.#data !== undefined) this.#tell(this.#data);
      this.#data = undefined;
    } else if (line.startsWith("data:")) {
      const text = line.slice(line.startsWith("data: ") ? 6 : 5);
      const data = this.#data === undefined ? text : `${this.#data}\n${text}`;
      this.#data = data.length > MAX_LENGTH ? undefined : data;
    }
  }

  #tell(data: string): void {
    const event = parsed(data);
    if (event !== undefined) for (const settlement of this.settlements) settlement.sees?.(event);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
