/** A new value that is of no use holds up no other: what cannot be put in force all together is put in force without what is bad. */
import { PolicyError } from "../errors/diagnostics.js";
import type { SecretDraft } from "./secret-keeper.js";

interface Loaded {
  readonly lifetime: { end(): Promise<void> };
}

export interface Rotated<Policy extends Loaded> {
  /** What is in force with it: it names what was kept, and why. */
  readonly draft: SecretDraft;
  /** Undefined: nothing can be put in force. */
  readonly loaded: Policy | undefined;
}

/**
 * Values that fit only together go together as long as nothing else is bad; else those that do not fit alone wait for the next attempt.
 * @param due something else is to be put in force too: the end of an old value
 * @throws what `compile` throws (rejects) where no new value is to blame
 */
export async function withGoodSecrets<Policy extends Loaded>(
  draft: SecretDraft,
  due: boolean,
  compile: (draft: SecretDraft) => Promise<Policy>,
): Promise<Rotated<Policy>> {
  let rotated: Rotated<Policy> | undefined;
  const bad = new Map<string, string>();
  /** In halves: of many values few are bad, and each attempt compiles a whole policy. */
  const take = async (some: readonly string[], others: readonly string[]): Promise<void> => {
    const next = await draft.without([...bad.keys(), ...others]);
    try {
      const loaded = await compile(next);
      await rotated?.loaded?.lifetime.end();
      rotated = { draft: next, loaded };
    } catch (error) {
      const [only] = some;
      if (only === undefined) throw error;
      if (some.length === 1) return void bad.set(only, reasonOf(error));
      const middle = some.length >> 1;
      const [first, second] = [some.slice(0, middle), some.slice(middle)];
      await take(first, [...second, ...others]);
      await take(second, others);
    }
  };
  await take(draft.changed, []);
  if (rotated === undefined && due) await take([], []);
  const { draft: last, loaded } = rotated ?? {
    draft: await draft.without([...bad.keys()]),
    loaded: undefined,
  };
  for (const [reference, reason] of bad) last.kept.set(reference, reason);
  return { draft: last, loaded };
}

function reasonOf(error: unknown): string {
  return error instanceof PolicyError ? error.message : "the policy could not be compiled again";
}
