/** Where events of a case are kept, as it words it. */
import type { DecisionSink } from "../index.js";
import type { Case } from "./case.js";

const COMMITS: Readonly<Record<Exclude<NonNullable<Case["sink"]>, "none">, () => Promise<void>>> = {
  keeps: () => Promise.resolve(),
  fails: () => Promise.reject(new Error("the sink failed")),
  throws: () => {
    throw new Error("the sink threw");
  },
  hangs: () => new Promise(() => {}),
};

/** @throws Error for a word that no sink is described by */
export function sinksOf(word: Case["sink"] = "keeps"): readonly DecisionSink[] {
  if (word === "none") return [];
  if (!Object.hasOwn(COMMITS, word)) throw new Error(`\`${word}\` is no sink`);
  return [{ write: () => undefined, commit: COMMITS[word] }];
}
