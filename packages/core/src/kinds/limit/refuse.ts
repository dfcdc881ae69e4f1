/** What a caller over a limit is told: 429, when to come back, and which of the limits that are shown it met. */
import type { Refusal } from "../../model/outcome.js";
import type { RequestState } from "../../model/state.js";
import type { TakeResult } from "../../ports/state-store.js";
import { wholeSeconds } from "./fields.js";
import type { Rule } from "./rule.js";

/** Of a long wait a tenth, at most this many seconds, is spread: else everybody comes back at midnight. */
const MOST_JITTER = 30;

export function refusalOf(rules: readonly Rule[], { per }: TakeResult, state: RequestState): Refusal {
  const names: string[] = [];
  const shown: string[] = [];
  let rule = "";
  let wait = 1;
  for (const [index, { terms, fields }] of rules.entries()) {
    const part = per[index];
    if (part === undefined || part.allowed) continue;
    names.push(terms.name);
    if (fields !== undefined) shown.push(terms.name);
    if (rule === "") rule = terms.pointer;
    const seconds = wholeSeconds(part.retryUs);
    wait = Math.max(wait, terms.algorithm === "calendar" ? seconds + jitter(seconds) : seconds);
  }
  const reason = `over the limit ${names.map((name) => `\`${name}\``).join(", ")}`;
  if (state.tracing) state.note({ rule, reason });
  return {
    kind: "refusal",
    code: "rate-limited",
    headers: [["Retry-After", String(wait)]],
    reason,
    rule,
    ...(shown.length === 0 ? {} : { members: { "violated-policies": shown } }),
  };
}

/** Never early. */
function jitter(seconds: number): number {
  return Math.floor(Math.random() * (Math.floor(Math.min(MOST_JITTER, seconds / 10)) + 1));
}
