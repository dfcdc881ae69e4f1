/** What a compiled policy holds on to, and when it lets go. */
export interface Lifetime {
  /**
   * Aborted once the policy is out of use: replaced, refused, or its engine closed. Requests in flight keep the policy
   * that they began with, so what they wait for is not ended by this.
   */
  readonly signal: AbortSignal;
  /**
   * Runs once, when the policy is put in force; at once where it is. For what must not happen with each attempt to compile one: of a policy
   * that ends before, it never runs. What it throws is ignored.
   */
  onForce(run: () => void): void;
  /** Called once, at the end; at once where it is over. What it throws is ignored. */
  onEnd(release: () => void | Promise<void>): void;
  /**
   * Runs once after that many milliseconds unless the end comes first. Keeps no process alive.
   * @returns takes it back
   */
  after(milliseconds: number, run: () => void): () => void;
}
