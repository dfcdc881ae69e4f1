/** The pointers of one `sanitize`, prepared: a request only walks from one prepared place to the next. */
import { pointerTo } from "../../lib/pointer.js";
import { Pointers, type Progress } from "../../lib/pointer-set.js";
import { sortedEntries } from "../../lib/sorted.js";
import type { SanitizeSettings } from "../../model/policy.js";
import type { Placed } from "../../model/resolved.js";
import type { HtmlProfile } from "../../ports/html-sanitizer.js";
import { TEXT } from "./profiles.js";

/** What is done to a text: its tags are cut, or one profile after the other cleans it. */
export type Treatment = "text" | readonly HtmlProfile[];

/** How far the pointers have matched on the way to a value. */
export interface PlanNode {
  /** Undefined: a text here stays as it is. */
  readonly treatment: Treatment | undefined;
  /** JSON Pointers of the rules that are about such a text. */
  readonly rules: readonly string[];
  /** Members that a pointer names. */
  readonly named: ReadonlyMap<string, PlanNode | undefined>;
  /** All other members, and items. Undefined: nothing below is named by a pointer. */
  readonly others: PlanNode | undefined;
}

/** Undefined: no pointer leads anywhere. */
export function planOf(
  placed: Placed<SanitizeSettings> | undefined,
  profiles: ReadonlyMap<string, HtmlProfile>,
): PlanNode | undefined {
  const entries = sortedEntries(placed?.value);
  if (entries.length === 0) return undefined;
  const pointers = new Pointers(entries.map(([pointer]) => pointer));
  const names = entries.map(([, name]) => name);
  const rules = entries.map(([pointer]) => pointerTo(placed?.pointer ?? "", pointer));
  const made = new Map<string, PlanNode>();
  const nodeFor = (progress: Progress): PlanNode | undefined => {
    if (progress.states.length === 0) return undefined;
    const known = made.get(progress.key);
    if (known !== undefined) return known;
    const named = new Map<string, PlanNode | undefined>();
    const matched = pointers.matched(progress);
    const node: { -readonly [key in keyof PlanNode]: PlanNode[key] } = {
      treatment: treatmentOf(
        matched.map((index) => names[index] ?? TEXT),
        profiles,
      ),
      rules: matched.map((index) => rules[index] ?? ""),
      named,
      others: undefined,
    };
    // Known before what is below it: `**` leads back to where it stands.
    made.set(progress.key, node);
    for (const name of pointers.names(progress)) named.set(name, nodeFor(pointers.step(progress, name)));
    node.others = nodeFor(pointers.step(progress, undefined));
    return node;
  };
  return nodeFor(pointers.start);
}

/** `text` leaves no HTML, so nothing is left for another profile to do. */
function treatmentOf(
  names: readonly string[],
  profiles: ReadonlyMap<string, HtmlProfile>,
): Treatment | undefined {
  if (names.length === 0) return undefined;
  if (names.includes(TEXT)) return TEXT;
  return [...new Set(names)].sort().flatMap((name) => profiles.get(name) ?? []);
}

/** Does any place of the plan need HTML to be cleaned? */
export function needsHtml(settings: SanitizeSettings | undefined): boolean {
  return Object.values(settings ?? {}).some((name) => name !== TEXT);
}
