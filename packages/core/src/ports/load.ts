/** What this process can tell of how much it has to do. */

/** How late the event loop is, in milliseconds. */
export interface EventLoopWatch {
  /** Now: how much longer than it should it has not come round. */
  late(): number;
  /** The most since this was asked last. */
  longest(): number;
  stop(): void;
}

/** Exchanges in flight, of one class of routes. */
export interface InFlight {
  count: number;
}

export interface LoadSignals {
  /** Undefined: nobody can tell. */
  watchEventLoop(): EventLoopWatch | undefined;
  /** By class; one an engine: `replace` keeps it, so that requests which began under an older policy count. */
  readonly inFlight: Map<string, InFlight>;
}
