/** A log of one process: what was appended and has not run out, in order. */
import type { LogPage, StateLog } from "../ports/state-store.js";
import { noRoom } from "./room.js";

interface Entry {
  readonly number: number;
  readonly value: Uint8Array;
  readonly until: number;
}

interface Log {
  entries: Entry[];
  /** Given to whoever has read everything: reading again costs a comparison. */
  end: LogPage;
}

const EMPTY: LogPage = Object.freeze({ entries: Object.freeze([]), cursor: "0", more: false });

export class MemoryLog implements StateLog {
  readonly #logs = new Map<string, Log>();
  #last = 0;
  #size = 0;

  constructor(private readonly max: number) {}

  /** @throws StoreError `oom` when nothing that is kept has run out */
  append(log: string, value: Uint8Array, ttlUs: number, { nowUs }: { readonly nowUs: number }): void {
    if (this.#size >= this.max) this.#sweep(nowUs);
    if (this.#size >= this.max) throw noRoom();
    const known: Log = this.#logs.get(log) ?? { entries: [], end: EMPTY };
    this.#last += 1;
    this.#size += 1;
    known.entries.push({ number: this.#last, value: Uint8Array.from(value), until: nowUs + ttlUs });
    known.end = Object.freeze({ ...EMPTY, cursor: String(this.#last) });
    this.#logs.set(log, known);
  }

  read(log: string, after: string | undefined, { nowUs }: { readonly nowUs: number }): LogPage {
    const known = this.#logs.get(log);
    if (known === undefined) return EMPTY;
    if (after === known.end.cursor) return known.end;
    const from = Number(after ?? 0);
    const entries = known.entries
      .filter(({ number, until }) => number > from && until > nowUs)
      .map(({ value }) => value);
    return { ...known.end, entries };
  }

  #sweep(now: number): void {
    this.#size = 0;
    for (const log of this.#logs.values()) {
      log.entries = log.entries.filter(({ until }) => until > now);
      this.#size += log.entries.length;
    }
  }
}
