/**
 * `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10). Names are `[a-z0-9-]`, so a String item of RFC 9651
 * needs no escapes, and all that does not vary is written when the policy is compiled.
 */
import type { HeaderContribution, HeaderSink } from "../../model/compiled.js";
import type { RequestState } from "../../model/state.js";
import type { TakePart } from "../../ports/state-store.js";
import type { Terms } from "./terms.js";

export interface FieldTexts {
  /** A whole item of `RateLimit-Policy`. */
  readonly policy: string;
  /** An item of `RateLimit` up to the value of `r`. */
  readonly head: string;
}

export function fieldTexts({ name, limit, windowUs, algorithm }: Terms): FieldTexts {
  // `w` is whole seconds: a rounded one would promise more, or less, than is kept.
  const seconds = windowUs / 1_000_000;
  const window = seconds > 0 && Number.isInteger(seconds) ? `;w=${seconds}` : "";
  const unit = algorithm === "concurrency" ? ';qu="concurrent-requests"' : "";
  return { policy: `"${name}";q=${limit}${unit}${window}`, head: `"${name}";r=` };
}

/** What one limit has to say on this answer. */
class LimitReport {
  constructor(
    readonly texts: FieldTexts,
    readonly part: TakePart,
  ) {}
}

export function reportPart(texts: FieldTexts, part: TakePart, state: RequestState): void {
  const report = new LimitReport(texts, part);
  // A list that begins with its first entry has no room to spare: most answers speak of one limit.
  if (state.limitReports === undefined) state.limitReports = [report];
  else state.limitReports.push(report);
}

export function wholeSeconds(us: number): number {
  return Math.ceil(us / 1_000_000);
}

/** A refused limit has nothing left, and `t` is when the same would pass; else `t` is when all of it is back. */
function itemOf({ texts, part }: LimitReport): string {
  if (!part.allowed) return `${texts.head}0;t=${Math.max(1, wholeSeconds(part.retryUs))}`;
  const { remaining, resetUs } = part;
  return resetUs > 0 ? `${texts.head}${remaining};t=${wholeSeconds(resetUs)}` : `${texts.head}${remaining}`;
}

function writeFields(state: RequestState, sink: HeaderSink): void {
  const reports = state.limitReports;
  if (reports === undefined) return;
  const [only] = reports;
  // Nearly always: then what the policy says is a text that is there already.
  if (reports.length === 1 && only instanceof LimitReport) {
    sink.set("RateLimit-Policy", only.texts.policy);
    sink.set("RateLimit", itemOf(only));
    return;
  }
  let policies = "";
  let items = "";
  for (const report of reports) {
    if (!(report instanceof LimitReport)) continue;
    const separator = items === "" ? "" : ", ";
    policies += separator + report.texts.policy;
    items += separator + itemOf(report);
  }
  if (items === "") return;
  sink.set("RateLimit-Policy", policies);
  sink.set("RateLimit", items);
}

/** Older drafts' fields of the handler's would contradict these. */
export const LIMIT_FIELDS: HeaderContribution = {
  remove: [
    "ratelimit",
    "ratelimit-policy",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
  ],
  dynamic: writeFields,
};
