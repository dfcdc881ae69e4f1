/** Observe mode: every byte goes out as the handler wrote it, and the engine is shown a copy. */
import type { Exchange } from "@gatehouse/core";
import { rawOf } from "./answer.js";
import { joined } from "./intake.js";
import type { PassageSettings } from "./passage.js";

export interface Eye {
  saw(chunk: unknown): void;
  ended(): void;
}

/** What a rule would have cut is reported when the answer ends; a limit that settles by the answer is shown its bytes. */
export function observed(exchange: Exchange, response: Response, settings: PassageSettings): Eye {
  const raw = rawOf(response);
  const respond = (body: Uint8Array | undefined): void => {
    try {
      exchange.respond(body === undefined ? raw : { ...raw, body });
    } catch (error) {
      settings.onError(error);
    }
  };
  if (!exchange.responseNeedsBody || exchange.headSettles(raw)) {
    respond(undefined);
    return {
      saw: (chunk) => {
        if (!(chunk instanceof Uint8Array)) return;
        if (exchange.streamsEvents) exchange.event(chunk);
        else if (exchange.watchesAnswer) exchange.saw(chunk);
      },
      ended: () => undefined,
    };
  }
  const copy = new Copy(settings.responseLimit);
  return {
    saw: (chunk) => copy.add(chunk),
    ended: () => {
      // An answer beyond the limit is not kept: the report is what is lost, never the answer.
      if (!copy.lost) respond(copy.bytes());
    },
  };
}

class Copy {
  lost = false;
  private chunks: Uint8Array[] = [];
  private size = 0;

  constructor(private readonly limit: number) {}

  add(chunk: unknown): void {
    if (this.lost || !(chunk instanceof Uint8Array)) return;
    this.size += chunk.length;
    if (this.size > this.limit) {
      this.lost = true;
      this.chunks = [];
      // Copied: the handler may use its buffer again.
    } else this.chunks.push(chunk.slice());
  }

  /** Undefined: nothing was written. */
  bytes(): Uint8Array | undefined {
    return this.size === 0 ? undefined : joined(this.chunks, this.size);
  }
}
