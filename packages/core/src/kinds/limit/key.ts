/**
 * The key of a count. Parts carry their length, so that no two lists of facts make one text whatever stands in them; what a caller
 * can choose or make long is hashed, so that keys are short and nobody picks a slot of a shared store. Nothing of the policy's
 * revision is in it: a reload keeps every count.
 */
import type { CompiledFact } from "../../conditions/index.js";
import type { RequestState } from "../../model/state.js";
import type { Terms } from "./terms.js";

/** Undefined: a fact is absent, and absent callers do not share a count. */
export type ReadKey = (state: RequestState) => string | undefined;

const MISSING = "-";

/** Longer texts are hashed even where an authenticator vouches for them. */
const LONGEST = 96;

/** Keys of one limit, observing or not. */
export class Keys {
  /** The one key of a limit that counts by nothing. */
  readonly prefix: string;
  /** Of callers whose only fact is absent. */
  readonly missing: string | undefined;
  readonly #shared: boolean;

  constructor(
    terms: Terms,
    observe: boolean,
    private readonly sha256Hex: (text: string) => string,
  ) {
    this.prefix = `${terms.name}:${tagOf(terms)}${observe ? "o" : ""}:`;
    this.#shared = terms.onMissing === "group";
    this.missing = this.#shared ? this.prefix + MISSING : undefined;
  }

  /** Of a fact that stands alone and that no caller chooses. */
  of(text: string): string {
    return this.#finish(partOf(text), false);
  }

  reader(facts: readonly CompiledFact[]): ReadKey {
    const chosen = facts.some(({ callerChosen }) => callerChosen);
    return (state) => {
      let rest = "";
      for (const fact of facts) {
        const text = fact.read(state);
        if (text === undefined && !this.#shared) return undefined;
        rest += text === undefined ? MISSING : partOf(text);
      }
      return this.#finish(rest, chosen && rest !== MISSING);
    };
  }

  #finish(rest: string, chosen: boolean): string {
    const { prefix } = this;
    return chosen || rest.length >= LONGEST
      ? `${prefix}#${this.sha256Hex(rest).slice(0, 32)}`
      : prefix + rest;
  }
}

function partOf(text: string): string {
  return `${text.length}=${text}`;
}

/** Counts of one algorithm mean nothing to another, nor buckets of one width to another. */
function tagOf({ algorithm, windowUs, unit, zone }: Terms): string {
  switch (algorithm) {
    case "sliding-window":
      return `s${windowUs}`;
    case "token-bucket":
      return "t";
    case "calendar":
      return `c-${unit}-${zone}`;
    case "concurrency":
      return "l";
  }
}
