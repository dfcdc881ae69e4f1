/** What a compiled policy holds on to, and when it lets go. */
export interface Lifetime {
  /**
   * Aborted once the policy is out of use: replaced, refused, or its engine closed. Requests in flight keep the policy
   * that they began with, so what they wait for is not ended by this.
   */
  readonly signal: AbortSignal;
  /** Called once, at the end; at once where it is over. What it throws is ignored. */
  onEnd(release: () => void | Promise<void>): void;
  /**
   * Runs once after that many milliseconds unless the end comes first. Keeps no process alive.
   * @returns takes it back
   */
  after(milliseconds: number, run: () => void): () => void;
}
