/** Merges what every kind owes on the answers of a route into one plan. */
import { TARGETED_CACHE_FIELDS } from "../model/cache-fields.js";
import type { HeaderContribution, HeaderPlan, HeaderSink } from "../model/compiled.js";
import { RoomyList } from "../lib/roomy-list.js";
import type { HeaderField } from "../model/request.js";
import type { RequestState } from "../model/state.js";

/** Never goes out. */
const NO_FIELD: HeaderField = ["", ""];

/** Later contributions replace earlier ones of the same name. */
export function planHeaders(contributions: readonly HeaderContribution[]): HeaderPlan {
  const constant = new Map<string, HeaderField>();
  const dropped = new Set<string>();
  const vary = new Map<string, string>();
  const dynamic: ((state: RequestState, sink: HeaderSink) => void)[] = [];
  let mergeCacheControl: HeaderPlan["mergeCacheControl"];
  for (const contribution of contributions) {
    for (const field of contribution.set ?? []) constant.set(field[0].toLowerCase(), field);
    for (const name of contribution.remove ?? []) dropped.add(name);
    for (const token of contribution.vary ?? []) vary.set(token.toLowerCase(), token);
    if (contribution.dynamic !== undefined) dynamic.push(contribution.dynamic);
    mergeCacheControl = contribution.mergeCacheControl ?? mergeCacheControl;
  }
  for (const name of constant.keys()) dropped.add(name);
  dropped.delete("vary");
  const refusal = [...constant]
    .filter(([name]) => name !== "cache-control" && !TARGETED_CACHE_FIELDS.has(name))
    .map(([, field]) => field);
  refusal.push(["Cache-Control", "no-store"]);
  const ours = [...constant.values()];
  return {
    constant: ours,
    admission: new RoomyList(ours, NO_FIELD),
    refusal: new RoomyList(refusal, NO_FIELD),
    dropped,
    vary: [...vary.values()],
    varyField: vary.size === 0 ? undefined : ["Vary", [...vary.values()].join(", ")],
    lastVary: { theirs: undefined, field: undefined },
    dynamic,
    // Where the policy has no value of its own there is nothing to merge: the handler's stays, or is taken out.
    mergeCacheControl: constant.has("cache-control") ? mergeCacheControl : undefined,
  };
}
