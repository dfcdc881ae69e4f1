/** Findings that somebody has accepted: for a reason, and until a day. */
import { nearest } from "../lib/near.js";
import { AUDIT_RULES } from "./audit.js";
import type { Finding } from "./finding.js";

export interface Acceptance {
  readonly rule: string;
  readonly pointer: string;
  readonly reason: string;
  /** Day from which it holds no more. */
  readonly expires: string;
}

export interface Judged {
  readonly finding: Finding;
  /** Undefined: nobody has accepted it. */
  readonly accepted: Acceptance | undefined;
}

export interface Baselined {
  readonly judged: readonly Judged[];
  /** Acceptances whose day has come: their findings count again. */
  readonly expired: readonly Acceptance[];
  /** Acceptances of what is no longer found. */
  readonly stale: readonly Acceptance[];
}

const MEMBERS = ["rule", "pointer", "reason", "expires"] as const;

/** @throws Error naming the entry that is wrong: what is misspelled would accept nothing, or something else */
export function readBaseline(text: string): readonly Acceptance[] {
  const value: unknown = JSON.parse(text);
  if (
    typeof value !== "object" ||
    value === null ||
    !("accepted" in value) ||
    !Array.isArray(value.accepted) ||
    Object.keys(value).length > 1
  )
    throw new Error('a baseline is `{ "accepted": [ … ] }`');
  return value.accepted.map((entry: unknown, index) => readAcceptance(entry, `accepted/${index}`));
}

function readAcceptance(entry: unknown, place: string): Acceptance {
  if (typeof entry !== "object" || entry === null) throw new Error(`${place} is no object`);
  const stranger = Object.keys(entry).find((key) => !MEMBERS.some((member) => member === key));
  if (stranger !== undefined) throw new Error(`${place} has an unknown key \`${stranger}\``);
  const members = new Map(Object.entries(entry));
  const textOf = (name: (typeof MEMBERS)[number]): string => {
    const text: unknown = members.get(name);
    if (typeof text !== "string" || (text.trim() === "" && name !== "pointer"))
      throw new Error(`${place} has no \`${name}\``);
    return text;
  };
  const [rule, pointer, reason, expires] = [
    textOf("rule"),
    textOf("pointer"),
    textOf("reason"),
    textOf("expires"),
  ];
  if (!AUDIT_RULES.some(({ id }) => id === rule)) {
    const near = nearest(
      rule,
      AUDIT_RULES.map(({ id }) => id),
    );
    throw new Error(
      `${place} names no rule: \`${rule}\`${near === undefined ? "" : `; did you mean \`${near}\`?`}`,
    );
  }
  if (!/^\d{4}-\d{2}-\d{2}$/u.test(expires) || Number.isNaN(Date.parse(expires)))
    throw new Error(`${place}: \`expires\` is no day such as \`2027-01-31\``);
  return { rule, pointer, reason, expires };
}

/** @param now milliseconds since the epoch */
export function applyBaseline(
  findings: readonly Finding[],
  baseline: readonly Acceptance[],
  now: number,
): Baselined {
  const fits = (one: Acceptance, { rule, pointer }: Finding): boolean =>
    one.rule === rule && one.pointer === pointer;
  const current = baseline.filter(({ expires }) => now < Date.parse(expires));
  const found = baseline.filter((one) => findings.some((finding) => fits(one, finding)));
  return {
    judged: findings.map((finding) => ({ finding, accepted: current.find((one) => fits(one, finding)) })),
    expired: found.filter((one) => !current.includes(one)),
    stale: baseline.filter((one) => !found.includes(one)),
  };
}
