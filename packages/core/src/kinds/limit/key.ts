/**
 * The key of a count. Parts carry their length, so that no two lists of facts make one text whatever stands in them; what a caller
 * can choose or make long is hashed, so that keys are short and nobody picks a slot of a shared store. Nothing of the policy's
 * revision is in it: a reload keeps every count.
 */
import type { CompiledFact } from "../../conditions/index.js";
import type { RequestState } from "../../model/state.js";
import { memoized } from "../../normalize/memo.js";
import type { Terms } from "./terms.js";

/** Undefined: a fact is absent, and absent callers do not share a count. */
export type ReadKey = (state: RequestState) => string | undefined;

const MISSING = "-";

/** Longer texts are hashed even where an authenticator vouches for them. */
const LONGEST = 96;

/**
 * Keys of the latest callers. Joining and hashing a new text costs more than all the rest of a decision; addresses and principals
 * come again and again. Not for what a caller chooses.
 */
const KNOWN = 4096;

export function keyOf(
  terms: Terms,
  facts: readonly CompiledFact[],
  observe: boolean,
  sha256Hex: (text: string) => string,
): ReadKey {
  const prefix = `${terms.name}:${tagOf(terms)}${observe ? "o" : ""}:`;
  const shared = terms.onMissing === "group";
  const chosen = facts.some(({ callerChosen }) => callerChosen);
  const [first] = facts;
  if (first === undefined) return () => prefix;
  const finish = (rest: string): string =>
    chosen || rest.length >= LONGEST ? `${prefix}#${sha256Hex(rest).slice(0, 32)}` : prefix + rest;
  if (facts.length === 1) {
    const missing = shared ? prefix + MISSING : undefined;
    const whole = (text: string): string => finish(`${text.length}=${text}`);
    const keyFor = chosen ? whole : memoized(KNOWN, whole);
    return (state) => {
      const text = first.read(state);
      return text === undefined ? missing : keyFor(text);
    };
  }
  return (state) => {
    let rest = "";
    for (const fact of facts) {
      const text = fact.read(state);
      if (text === undefined && !shared) return undefined;
      rest += text === undefined ? MISSING : `${text.length}=${text}`;
    }
    return finish(rest);
  };
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
