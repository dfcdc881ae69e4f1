/**
 * Stages of a route where a signature over the body may be the credential. Until it is proved nobody is known, so what asks who calls
 * waits for the proof, and so does the body's parse. Callers of another kind on the same route meet the stages in their usual places.
 */
import type { Stage } from "../model/compiled.js";
import type { ResolvedRoute } from "../model/resolved.js";
import type { RequestState } from "../model/state.js";
import { rankOf, type StageName } from "../stages.js";

/** What reads the principal, between `authenticate` and `signature`. */
const WAITING: ReadonlySet<StageName> = new Set(["csrf", "limit-principal", "limit-parameters", "authorize"]);

export function isProvedLate({ authenticate }: ResolvedRoute): boolean {
  return authenticate.anyOf.some((together) => together.some(({ late }) => late));
}

/**
 * @param stages in the language's order
 * @param readsBody false: nobody but the proof reads it, so for callers of another kind the head is all there is
 */
export function withLateProof(stages: readonly Stage[], readsBody: boolean): readonly Stage[] {
  const proof = rankOf("signature");
  const upToProof = stages.filter(({ at }) => rankOf(at) <= proof);
  const waiting = upToProof.filter(({ at }) => WAITING.has(at));
  const beyond = stages.filter(({ at }) => rankOf(at) > proof);
  return [
    ...upToProof.map((stage) => (WAITING.has(stage.at) ? atOnce(stage) : stage)),
    ...(readsBody ? [] : beyond.map(atOnce)),
    ...waiting.map(afterProof),
    ...(readsBody ? beyond : beyond.filter(({ phase }) => phase !== "head").map(afterProof)),
  ];
}

/** Each of the two copies looks at `pending`, which nobody clears: one and only one of them runs. */
function atOnce(stage: Stage): Stage {
  // What is of the head needs nobody's proof: it looks at lengths and types.
  if (stage.phase === "head") return stage;
  return { ...stage, phase: "head", when: (state) => !waits(state) && stage.when?.(state) !== false };
}

function afterProof(stage: Stage): Stage {
  return { ...stage, phase: "body", when: (state) => waits(state) && stage.when?.(state) !== false };
}

function waits({ pending }: RequestState): boolean {
  return pending !== undefined;
}
