/** What the store needs of a client library: scripts by digest and by text, and to know whether it is of any use to call. */

export interface RedisDriver {
  /** Keys of one call must lie in one slot. */
  readonly cluster: boolean;
  /** A connection of the store's own, begun at once; it may never become ready. Must not throw, nor emit unheard errors. */
  open(): RedisConnection;
}

export interface RedisConnection {
  /** False: a call would fail at once, or wait. */
  isReady(): boolean;
  /** Sent at most once, whatever happens to the connection: a command that may have been applied is never sent again. */
  evalsha(sha1: string, keys: readonly string[], values: readonly string[]): Promise<unknown>;
  eval(text: string, keys: readonly string[], values: readonly string[]): Promise<unknown>;
  /** Which node answers for a slot as far as is known; only for clusters. */
  nodeOf?(slot: number): string;
  /** A node does not answer: another may have taken its slots by now. What is in flight goes on. */
  refresh?(): void;
  /**
   * The way to the node that answers for a slot may be lost: it is begun anew, and the ways to the others go on. False, or without this: all
   * have to be.
   */
  renew?(slot: number): boolean;
  /** Ends at once, whatever is in flight, and for good. */
  destroy(): void;
}
