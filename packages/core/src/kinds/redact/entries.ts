/** The entries of `response.redact` of one route, read and compiled. */
import type { Report } from "../../errors/diagnostics.js";
import { pointerTo } from "../../lib/pointer.js";
import { sortedEntries } from "../../lib/sorted.js";
import type { RedactAction, RedactEntry } from "../../model/policy.js";
import type { ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";
import type { PointerAction } from "./builder.js";
import { compileInForce, type InForce } from "./condition.js";
import { Pointers } from "../../lib/pointer-set.js";

export interface Redactions {
  readonly texts: readonly string[];
  readonly pointers: Pointers;
  readonly actions: readonly PointerAction[];
  readonly conditions: readonly InForce[];
}

const NONE: Redactions = { texts: [], pointers: new Pointers([]), actions: [], conditions: [] };

const compiled = new WeakMap<ResolvedRoute, Redactions>();

/** Compiled once a route; what is wrong is reported by the first call, which is the check's. */
export function redactionsOf(policy: ResolvedPolicy, route: ResolvedRoute, report: Report): Redactions {
  if (route.response.redact === undefined) return NONE;
  const known = compiled.get(route);
  if (known !== undefined) return known;
  const redactions = readRedactions(policy, route, report);
  compiled.set(route, redactions);
  return redactions;
}

function readRedactions(policy: ResolvedPolicy, route: ResolvedRoute, report: Report): Redactions {
  const { redact } = route.response;
  const texts: string[] = [];
  const actions: PointerAction[] = [];
  const conditions: InForce[] = [];
  for (const [text, written] of sortedEntries(redact?.value)) {
    const entry = isEntry(written) ? written : { action: written };
    const place = {
      policy,
      route,
      pointer: pointerTo(redact?.pointer ?? "", text),
      own: redact?.from === "route",
      report,
    };
    const inForce = compileInForce(entry, place);
    texts.push(text);
    actions.push({
      action: entry.action,
      condition: inForce === undefined ? -1 : conditions.push(inForce) - 1,
      rule: place.pointer,
    });
  }
  return { texts, actions, conditions, pointers: new Pointers(texts) };
}

function isEntry(written: RedactAction | RedactEntry): written is RedactEntry {
  return typeof written === "object" && "action" in written;
}
