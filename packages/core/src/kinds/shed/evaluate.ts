/** The stage `shed`. */
import type { Stage } from "../../model/compiled.js";
import { PASS, type Refusal, type Verdict } from "../../model/outcome.js";
import type { RequestState } from "../../model/state.js";
import type { Door } from "./gate.js";

const RULE = "/shed";

export interface ShedStageParts {
  readonly door: Door;
  /** Of the class, where the policy declares it. */
  readonly pointer: string | undefined;
  readonly refusals: Refusals;
  /** `shed` itself only observes. */
  readonly observe: boolean;
}

export function shedStage({ door, pointer, refusals, observe }: ShedStageParts): Stage {
  const rules = pointer === undefined ? [RULE] : [RULE, pointer];
  const run = (state: RequestState): Verdict => {
    const passes = door.enter(state);
    if (state.tracing) {
      const came = passes ? "admitted" : "refused";
      state.note({ reached: rules.map((rule) => ({ rule, came })) });
    }
    if (passes) return PASS;
    return observe ? tell(refusals.reason, state) : refusals.next();
  };
  return { at: "shed", rule: RULE, run };
}

function tell(why: string, state: RequestState): undefined {
  const reason = `\`shed\` only observes: it would have refused, ${why}`;
  state.report(reason);
  if (state.tracing) state.note({ rule: RULE, reason });
  return PASS;
}

/** Values of `Retry-After` that refusals take turns in. */
const MOST_STEPS = 10;

/** Made beforehand: a process that has too much to do is not asked for more. */
export class Refusals {
  readonly #all: readonly Refusal[];
  #turn = 0;

  /** @param seconds whole, at least 1 */
  constructor(
    readonly reason: string,
    seconds: number,
  ) {
    const steps = Math.min(seconds + 1, MOST_STEPS);
    this.#all = Array.from({ length: steps }, (_, step): Refusal => {
      const wait = seconds + Math.round((step * seconds) / (steps - 1));
      return {
        kind: "refusal",
        code: "overloaded",
        headers: [["Retry-After", String(wait)]],
        reason,
        rule: RULE,
      };
    });
  }

  next(): Verdict {
    const refusal = this.#all[this.#turn];
    this.#turn = (this.#turn + 1) % this.#all.length;
    return refusal;
  }
}
