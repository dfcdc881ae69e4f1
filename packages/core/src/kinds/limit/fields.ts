/**
 * `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10). Names are `[a-z0-9-]`, so a String item of RFC 9651
 * needs no escapes, and all that does not vary is written when the policy is compiled.
 */
import type { HeaderContribution, HeaderSink } from "../../model/compiled.js";
import { decimal } from "../../lib/decimal.js";
import type { HeaderField } from "../../model/request.js";
import type { RequestState } from "../../model/state.js";
import type { TakePart } from "../../ports/state-store.js";
import type { Terms } from "./terms.js";

export interface FieldTexts {
  /** The whole of `RateLimit-Policy` where no other limit is told of: nearly always. */
  readonly policy: HeaderField;
  /** An item of `RateLimit` up to the value of `r`. */
  readonly head: string;
}

const POLICY = "RateLimit-Policy";

export function fieldTexts({ name, limit, windowUs, algorithm }: Terms): FieldTexts {
  // `w` is whole seconds: a rounded one would promise more, or less, than is kept.
  const seconds = windowUs / 1_000_000;
  const window = seconds > 0 && Number.isInteger(seconds) ? `;w=${seconds}` : "";
  const unit = algorithm === "concurrency" ? ';qu="concurrent-requests"' : "";
  return { policy: [POLICY, `"${name}";q=${limit}${unit}${window}`], head: `"${name}";r=` };
}

/** What one limit has to say on this answer, after those before it. */
class LimitReport {
  constructor(
    readonly texts: FieldTexts,
    readonly part: TakePart,
    readonly before: LimitReport | undefined,
  ) {}
}

/** A chain, not a list: most answers speak of one limit. */
export function reportPart(texts: FieldTexts, part: TakePart, state: RequestState): void {
  state.limitReport = new LimitReport(texts, part, reportOf(state));
}

function reportOf({ limitReport }: RequestState): LimitReport | undefined {
  return limitReport instanceof LimitReport ? limitReport : undefined;
}

export function wholeSeconds(us: number): number {
  return Math.ceil(us / 1_000_000);
}

/** A refused limit has nothing left, and `t` is when the same would pass; else `t` is when all of it is back. */
function itemOf({ texts, part }: LimitReport): string {
  if (!part.allowed) return `${texts.head}0;t=${Math.max(1, wholeSeconds(part.retryUs))}`;
  const { remaining, resetUs } = part;
  const left = texts.head + decimal(remaining);
  return resetUs > 0 ? left + timeOf(wholeSeconds(resetUs)) : left;
}

/** Most windows are short: what they have left is told by one of a few texts, each written when it is first needed. */
const TIMES: string[] = [];
const FEW_SECONDS = 900;

function timeOf(seconds: number): string {
  if (seconds > FEW_SECONDS) return `;t=${seconds}`;
  while (TIMES.length <= seconds) TIMES.push(`;t=${TIMES.length}`);
  return TIMES[seconds] ?? "";
}

function writeFields(state: RequestState, sink: HeaderSink): void {
  const last = reportOf(state);
  if (last === undefined) return;
  let { policy } = last.texts;
  let items = itemOf(last);
  for (let report: LimitReport | undefined = last.before; report !== undefined; report = report.before) {
    policy = [POLICY, `${report.texts.policy[1]}, ${policy[1]}`];
    items = `${itemOf(report)}, ${items}`;
  }
  sink.add(policy);
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
