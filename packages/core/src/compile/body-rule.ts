/** The rules of an answer's body, one after the other. */
import type { BodyOutcome, BodyRule } from "../model/compiled.js";

/**
 * @param first projects and redacts
 * @param then works on what is left, and may change it
 */
export function inTurn(first: BodyRule | undefined, then: BodyRule | undefined): BodyRule | undefined {
  if (then === undefined) return first;
  return {
    readsBody: first?.readsBody ?? then.readsBody,
    needsBody: (status) => first?.needsBody(status) === true || then.needsBody(status),
    apply: (value, status, state) => {
      const left = first === undefined ? copyOf(value) : first.apply(value, status, state);
      return left.kind === "json"
        ? guarded(() => then.apply(left.value, status, state), "sanitizing failed")
        : left;
    },
  };
}

/** The handler's own value is never changed, and its `toJSON` is asked before anything is judged. */
function copyOf(value: unknown): BodyOutcome {
  return guarded(() => {
    const json: string | undefined = JSON.stringify(value);
    return json === undefined ? unreadable(NO_JSON) : { kind: "json", value: JSON.parse(json) as unknown };
  }, NO_JSON);
}

const NO_JSON = "the answer cannot be written as JSON";

function unreadable(reason: string): BodyOutcome {
  return { kind: "withheld", code: "unreadable-response", reason };
}

/** What failed half-way is withheld: a throw would leave it to an adapter what goes out. */
function guarded(work: () => BodyOutcome, reason: string): BodyOutcome {
  try {
    return work();
  } catch {
    return unreadable(reason);
  }
}
