/**
 * Limits by the bound that they keep: a sequence of requests of the route that the one lets pass whole, the other lets pass whole. What
 * several routes count together is compared route by route.
 */
import type { LimitSettings } from "@gatehouse/core/analysis";
import { alike, othersAlike } from "./canonical.js";
import { all, notShown, SHOWN, shownIf, type Proof, type Side } from "./model.js";
import { sameTrust } from "./access.js";
import { durationOf } from "./units.js";

export interface TakenLimit {
  readonly name: string;
  readonly settings: LimitSettings;
  /** Taken before anything else is asked, so that whatever is refused later counts too. */
  readonly global: boolean;
}

/** Global ones among them; those that only observe refuse nobody. */
export function limitsOf({ analysed: { policy }, route }: Side): readonly TakenLimit[] {
  const everywhere = new Set(policy.globalLimits.map(({ value }) => value));
  const names = new Set([...everywhere, ...route.limits.map(({ value }) => value)]);
  return [...names].flatMap((name) => {
    const settings = policy.limits.get(name)?.value;
    return settings === undefined || settings.mode === "observe"
      ? []
      : [{ name, settings, global: everywhere.has(name) }];
  });
}

/** Of `reveal` is told under headers; what only observes is none of these. */
const READ: ReadonlySet<string> = new Set<keyof LimitSettings>([
  "algorithm",
  "limit",
  "window",
  "burst",
  "zone",
  "lease",
  "by",
  "when",
  "cost",
  "count",
  "onMissing",
  "onStoreFailure",
  "share",
  "penalty",
  "mode",
  "reveal",
]);

/** @param apart whether the facts by which callers are told apart mean the same on both sides */
export function limitsWithin(inner: Side, outer: Side, principalsAlike: boolean, rolesAlike: boolean): Proof {
  const kept = limitsOf(inner);
  return all(
    shedWithin(inner, outer),
    ...limitsOf(outer).map((limit) => {
      const proofs = kept.map((one) => implied(one, limit, inner, outer, principalsAlike, rolesAlike));
      // The one of the same name tells most.
      const named = proofs[kept.findIndex(({ name }) => name === limit.name)];
      return (
        proofs.find(({ shown }) => shown) ?? named ?? notShown(`\`${limit.name}\` is taken by one alone`)
      );
    }),
  );
}

/** What is shed depends on what else a process has to do: where it differs nothing can be shown but where one side sheds nobody. */
export function shedWithin(inner: Side, outer: Side): Proof {
  const theirs = shedOf(outer);
  return shownIf(
    theirs === undefined || alike(shedOf(inner), theirs),
    "`shed` differs, which only a process under load shows",
  );
}

/** Undefined: nobody is refused for it. */
export function shedOf({ analysed, route, matched }: Side): unknown {
  const { shed } = analysed.policy.document;
  const name = route.shed?.value ?? "default";
  if (shed === undefined || shed.mode === "observe" || name === "never" || !matched) return undefined;
  return [shed, name];
}

function implied(
  { settings: a, global }: TakenLimit,
  { name, settings: b, global: everywhere }: TakenLimit,
  inner: Side,
  outer: Side,
  principalsAlike: boolean,
  rolesAlike: boolean,
): Proof {
  const same = (key: keyof LimitSettings): Proof =>
    shownIf(alike(a[key], b[key]), `\`${name}\`: \`${key}\` differs`);
  return all(
    shownIf(global || !everywhere, `\`${name}\` counts every request, also those that are refused elsewhere`),
    shownIf(algorithmOf(a) === algorithmOf(b), `\`${name}\`: another algorithm, with another kind of bound`),
    same("by"),
    same("when"),
    same("cost"),
    shownIf(alike(a.count ?? "all", b.count ?? "all"), `\`${name}\`: other outcomes count`),
    same("onMissing"),
    // What a store does that fails cannot be seen with one that does not.
    shownIf(
      alike(a.onStoreFailure ?? "local", b.onStoreFailure ?? "local"),
      `\`${name}\`: \`onStoreFailure\` differs, which only a failing store shows`,
    ),
    shownIf(
      alike(a.share ?? "auto", b.share ?? "auto"),
      `\`${name}\`: \`share\` differs, which only a failing store shows`,
    ),
    shownIf(
      alike(deadlineOf(inner), deadlineOf(outer)),
      `\`${name}\`: how long the store is waited for differs, which only a slow store shows`,
    ),
    shownIf(othersAlike(a, b, READ), `\`${name}\`: other settings differ`),
    shownIf(b.penalty === undefined || alike(a.penalty, b.penalty), `\`${name}\`: blocks differ`),
    boundWithin(a, b, name),
    meaningOf(a, name, inner, outer, principalsAlike, rolesAlike),
  );
}

function deadlineOf({ analysed }: Side): unknown {
  return analysed.policy.document.store?.deadline;
}

function meaningOf(
  { by, when, cost }: LimitSettings,
  name: string,
  inner: Side,
  outer: Side,
  principalsAlike: boolean,
  rolesAlike: boolean,
): Proof {
  const read = JSON.stringify([by, when, cost]);
  if (read.includes("client.") && !sameTrust(inner, outer))
    return notShown(`\`${name}\` counts by address, and whose word about it is believed differs`);
  if (read.includes("principal") && !principalsAlike)
    return notShown(`\`${name}\` counts by the principal, and who that is differs`);
  if (read.includes("roles") && !rolesAlike)
    return notShown(`\`${name}\` reads roles, and their hierarchy differs`);
  if (/params|query|headers|cookies|body/u.test(read) && !alike(inputOf(inner), inputOf(outer)))
    return notShown(`\`${name}\` reads input, and what becomes of that differs`);
  return SHOWN;
}

function inputOf({ route: { request, pattern } }: Side): unknown {
  const { params, query, headers, cookies, body, unknown, sanitize } = request;
  return [pattern, ...[params, query, headers, cookies, body, sanitize].map((one) => one?.value), unknown];
}

function algorithmOf({ algorithm }: LimitSettings): string {
  return algorithm ?? "sliding-window";
}

function boundWithin(a: LimitSettings, b: LimitSettings, name: string): Proof {
  const fewer = shownIf(a.limit <= b.limit, `\`${name}\`: ${a.limit} are let pass where ${b.limit} are`);
  switch (algorithmOf(a)) {
    case "sliding-window":
      return all(fewer, windowWithin(a, b, name));
    case "token-bucket":
      return all(
        shownIf((a.burst ?? a.limit) <= (b.burst ?? b.limit), `\`${name}\`: a larger burst is let pass`),
        rateWithin(a, b, name),
      );
    case "calendar":
      return all(
        fewer,
        shownIf((a.zone ?? "UTC") === (b.zone ?? "UTC"), `\`${name}\`: days begin at another hour`),
        shownIf(
          a.window === b.window || (a.window === "month" && b.window === "day"),
          `\`${name}\`: another period`,
        ),
      );
    default:
      return all(fewer, shownIf(leaseOf(a) >= leaseOf(b), `\`${name}\`: slots are freed earlier`));
  }
}

function leaseOf({ lease }: LimitSettings): number {
  return durationOf(lease ?? "30s");
}

/** A window is counted in ten parts and the oldest whole: up to a tenth more than it says. */
function windowWithin(a: LimitSettings, b: LimitSettings, name: string): Proof {
  const x = durationOf(a.window ?? "");
  const y = durationOf(b.window ?? "");
  return shownIf(
    x === y || x >= y * 1.1,
    `\`${name}\`: the window of ${a.window ?? ""} is not clearly longer than that of ${b.window ?? ""}`,
  );
}

/** Only where one of the two numbers is equal: else rounding could decide. */
function rateWithin(a: LimitSettings, b: LimitSettings, name: string): Proof {
  const x = durationOf(a.window ?? "");
  const y = durationOf(b.window ?? "");
  const slower = (a.limit === b.limit && x >= y) || (x === y && a.limit <= b.limit);
  return shownIf(
    slower,
    `\`${name}\`: ${a.limit} in ${a.window ?? ""} against ${b.limit} in ${b.window ?? ""}`,
  );
}
