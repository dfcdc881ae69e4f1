/** What an engine tells of its secrets, one after another. */
import type { SecretsEvent } from "./secret-rotation.js";

export class Events {
  readonly seen: SecretsEvent[] = [];
  #waiting: (() => void)[] = [];
  readonly listen = (event: SecretsEvent): void => {
    this.seen.push(event);
    for (const wake of this.#waiting.splice(0)) wake();
  };

  async next(outcome: SecretsEvent["outcome"]): Promise<SecretsEvent> {
    for (;;) {
      const found = this.seen.findIndex((event) => event.outcome === outcome);
      const [event] = found === -1 ? [] : this.seen.splice(found, 1);
      if (event !== undefined) return event;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}
