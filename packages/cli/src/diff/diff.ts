/** What changes between two policies, route by route and aspect by aspect: shown, or said to be undecided. */
import type { PolicyDocument } from "@gatehouse/core";
import { analyse } from "@gatehouse/core/analysis";
import { Duel } from "./duel.js";
import { ASPECTS, type Aspect, type Pair, type Verdict } from "./model.js";
import { keyOf, pairsOf } from "./pairs.js";
import { judge, type Judged } from "./rules.js";
import { Search, type Found, type Witness } from "./search.js";

export interface AspectDiff {
  readonly aspect: Aspect;
  readonly verdict: Verdict;
  /** What differs, as far as it was found while comparing; for `undecided` why nothing could be shown. */
  readonly reason: string | undefined;
  /** Of `wider` and `changed both ways`: what only the new policy lets pass. */
  readonly wider: Witness | undefined;
  /** Of `narrower` and `changed both ways`: what only the old policy lets pass. */
  readonly narrower: Witness | undefined;
}

export interface RouteDiff {
  /** Keys of the routes to which the requests lead; null: to none. */
  readonly old: string | null;
  readonly new: string | null;
  readonly verdict: Verdict;
  readonly aspects: readonly AspectDiff[];
}

export interface PolicyDiff {
  readonly old: string;
  readonly new: string;
  readonly verdict: Verdict;
  readonly routes: readonly RouteDiff[];
}

/**
 * Every request belongs to one row: the route to which the old policy leads it, and the one to which the new policy does. A verdict other
 * than `undecided` is shown by comparing the rules; one other than `same` besides by an exchange with the real engine.
 * @throws PolicyError (rejects) for a policy that cannot be served
 */
export async function diffPolicies(old: PolicyDocument, fresh: PolicyDocument): Promise<PolicyDiff> {
  const { pairs, complete } = pairsOf(analyse(old), analyse(fresh));
  const searching = new Searching(old, fresh);
  try {
    const routes: RouteDiff[] = [];
    for (const pair of pairs.toSorted(byKeys)) routes.push(await rowOf(pair, complete, searching));
    return {
      old: old.name,
      new: fresh.name,
      verdict: together(routes.map(({ verdict }) => verdict)),
      routes,
    };
  } finally {
    await searching.close();
  }
}

/** Nothing is compiled where nothing differs. */
class Searching {
  #duel: Promise<Duel> | undefined;
  #search: Promise<Search> | undefined;

  constructor(
    private readonly old: PolicyDocument,
    private readonly fresh: PolicyDocument,
  ) {}

  get(): Promise<Search> {
    return (this.#search ??= this.#begin());
  }

  async close(): Promise<void> {
    await (await this.#duel)?.close();
  }

  async #begin(): Promise<Search> {
    const { default: fc } = await import("fast-check");
    this.#duel = Duel.between(this.old, this.fresh);
    return new Search(await this.#duel, fc, this.old, this.fresh);
  }
}

function byKeys(a: Pair, b: Pair): number {
  const of = ({ old, new: fresh }: Pair): string => {
    const [first, second] = fresh.matched ? [fresh, old] : [old, fresh];
    // Where nothing is served stands last.
    return first.matched ? `0 ${first.route.path} ${first.route.key} ${second.route.key}` : "1";
  };
  return of(a) < of(b) ? -1 : 1;
}

async function rowOf(pair: Pair, complete: boolean, searching: Searching): Promise<RouteDiff> {
  const aspects: AspectDiff[] = [];
  for (const aspect of ASPECTS.filter((one) => concerns(one, pair)))
    aspects.push(await aspectOf(aspect, pair, complete, searching));
  return {
    old: keyOf(pair.old),
    new: keyOf(pair.new),
    verdict: together(aspects.map(({ verdict }) => verdict)),
    aspects,
  };
}

const EVERYWHERE: ReadonlySet<Aspect> = new Set([
  "routing",
  "mode",
  "transport",
  "cors",
  "limits",
  "headers",
  "errors",
]);

/** A route that one side does not have has nothing there to be compared with: that it is served is the difference. */
function concerns(aspect: Aspect, { old, new: fresh }: Pair): boolean {
  if (old.matched && fresh.matched) return true;
  return old.matched || fresh.matched ? aspect === "routing" : EVERYWHERE.has(aspect);
}

async function aspectOf(
  aspect: Aspect,
  pair: Pair,
  complete: boolean,
  searching: Searching,
): Promise<AspectDiff> {
  // What the new side lets pass the old one does too: nothing is wider. And the other way round.
  const wider = judge(aspect, pair.new, pair.old, pair, complete);
  const narrower = judge(aspect, pair.old, pair.new, pair, complete);
  const wanted = { wider: !wider.proof.shown, narrower: !narrower.proof.shown };
  const found: Found =
    wanted.wider || wanted.narrower
      ? await (await searching.get()).find(aspect, pair, wanted, [wider, narrower])
      : { wider: undefined, narrower: undefined };
  return conclude(aspect, wider, narrower, found);
}

function conclude(aspect: Aspect, wider: Judged, narrower: Judged, found: Found): AspectDiff {
  const { proof: more } = wider;
  const { proof: less } = narrower;
  const why = [more, less].flatMap((proof) => (proof.shown ? [] : [proof.why]));
  const reason = why.length === 0 ? undefined : [...new Set(why)].join("; ");
  const contradicted =
    (more.shown && found.wider !== undefined) || (less.shown && found.narrower !== undefined);
  if (contradicted)
    return {
      aspect,
      verdict: "undecided",
      reason: "an exchange contradicts what was shown by comparing; please report it",
      ...found,
    };
  const verdict = verdictOf(more.shown, less.shown, found);
  return { aspect, verdict, reason, ...found };
}

function verdictOf(notWider: boolean, notNarrower: boolean, { wider, narrower }: Found): Verdict {
  if (notWider && notNarrower) return "same";
  if (wider !== undefined && narrower !== undefined) return "changed both ways";
  if (wider !== undefined && notNarrower) return "wider";
  if (narrower !== undefined && notWider) return "narrower";
  return "undecided";
}

/** Of several verdicts one: what is undecided stays so, unless both ways are seen already. */
function together(verdicts: readonly Verdict[]): Verdict {
  const has = (verdict: Verdict): boolean => verdicts.includes(verdict);
  if (has("changed both ways") || (has("wider") && has("narrower"))) return "changed both ways";
  if (has("undecided")) return "undecided";
  if (has("wider")) return "wider";
  return has("narrower") ? "narrower" : "same";
}
