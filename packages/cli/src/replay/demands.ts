/** What the candidate's `authorize` and `require` say of a caller, as far as the record tells. */
import {
  conditionOn,
  type AuthorizeEntry,
  type KnownFacts,
  type RecordedCondition,
} from "@gatehouse/core/analysis";
import type { Caller } from "./known.js";
import type { Pairing } from "./pairing.js";

export type Answer =
  | { readonly is: "yes" }
  /** `code`: undefined where it depends on what is not worked out. */
  | { readonly is: "no"; readonly code: string | undefined }
  | { readonly is: "unknown"; readonly why: string };

type Demand = "authenticated" | "anyone" | readonly AuthorizeEntry[];

const YES: Answer = { is: "yes" };
const NO: Answer = { is: "no", code: "forbidden" };

function unknown(why: string): Answer {
  return { is: "unknown", why };
}

/** Every demand must hold. A refusal wins over what is not known: it comes whatever that is. */
export function demandsOn(pairing: Pairing, known: KnownFacts, caller: Caller): Answer {
  const { route } = pairing.fresh;
  const demands: readonly Demand[] = [route.authorize.value, ...route.require.map(({ value }) => value)];
  const answers = demands.map((demand) => demandOn(demand, pairing, known, caller));
  const refusals = answers.filter((answer) => answer.is === "no");
  if (refusals.length === 0) return answers.find(({ is }) => is === "unknown") ?? YES;
  if (caller === null) return { is: "no", code: "unauthenticated" };
  const codes = new Set(refusals.map(({ code }) => code));
  // Which of several is told first is the engine's to say.
  return {
    is: "no",
    code:
      codes.size === 1 && refusals.length === answers.filter(({ is }) => is !== "yes").length
        ? refusals[0]?.code
        : undefined,
  };
}

function demandOn(demand: Demand, pairing: Pairing, known: KnownFacts, caller: Caller): Answer {
  if (demand === "anyone") return YES;
  if (demand === "authenticated")
    return caller === undefined ? unknown("who called is not on the record") : caller === null ? NO : YES;
  // Whichever entry holds, what is forbidden stays so, and what cannot be told is.
  const forbidden = demand.flatMap(({ forbid }) =>
    forbid === undefined ? [] : [forbids(forbid, pairing, known)],
  );
  const refused = forbidden.find(({ is }) => is === "no");
  if (refused !== undefined) return refused;
  const entries = demand.map((entry) => entryOn(entry, pairing, known, caller));
  const open = forbidden.find(({ is }) => is === "unknown");
  if (entries.some(({ is }) => is === "yes")) return open ?? YES;
  const undecided = entries.find(({ is }) => is === "unknown");
  if (undecided !== undefined) return undecided;
  const codes = new Set(entries.map((one) => (one.is === "no" ? one.code : undefined)));
  return { is: "no", code: codes.size === 1 ? [...codes][0] : undefined };
}

function forbids(text: string, pairing: Pairing, known: KnownFacts): Answer {
  const truth = conditionIn(pairing, text)(known);
  if (truth === "unknown") return unknown(`\`${text}\` reads what was not recorded`);
  if (truth === false) return YES;
  return truth === true ? NO : { is: "no", code: undefined };
}

/** All of its parts must hold. */
function entryOn(entry: AuthorizeEntry, pairing: Pairing, known: KnownFacts, caller: Caller): Answer {
  const answers = partsOn(entry, pairing, known, caller);
  const refusals = answers.filter((answer) => answer.is === "no");
  const undecided = answers.find(({ is }) => is === "unknown");
  if (refusals.length === 0) return undecided ?? YES;
  const codes = new Set(refusals.map(({ code }) => code));
  return { is: "no", code: codes.size === 1 && undecided === undefined ? refusals[0]?.code : undefined };
}

function partsOn(
  { roles, scopes, claims, when, check, stepUp }: AuthorizeEntry,
  pairing: Pairing,
  known: KnownFacts,
  caller: Caller,
): readonly Answer[] {
  return [
    ...(roles === undefined ? [] : [rolesOn(roles, caller)]),
    ...(scopes === undefined ? [] : [scopesOn(scopes, caller)]),
    ...Object.entries(claims ?? {}).map(([path, wanted]) => claimOn(path, wanted, known, caller)),
    ...(when === undefined ? [] : [whenOn(when, pairing, known)]),
    ...(stepUp === undefined
      ? []
      : [unknown("how the caller was authenticated (`stepUp`) was not recorded")]),
    ...(check === undefined ? [] : [unknown(`the check \`${[check].flat().join("`, `")}\` was not asked`)]),
  ];
}

const NOBODY_KNOWN = "who called is not on the record";

function rolesOn(roles: readonly string[], caller: Caller): Answer {
  if (caller === null) return NO;
  if (caller === undefined) return unknown(NOBODY_KNOWN);
  if (roles.some((role) => caller.certain.has(role))) return YES;
  return roles.some((role) => caller.possible.has(role))
    ? unknown("which roles were granted, and which only included, was not recorded")
    : NO;
}

function scopesOn(scopes: readonly string[], caller: Caller): Answer {
  if (caller === null) return NO;
  if (caller?.scopes === undefined) return unknown(NOBODY_KNOWN);
  const held = new Set(caller.scopes);
  return scopes.every((scope) => held.has(scope)) ? YES : { is: "no", code: "insufficient-scope" };
}

function claimOn(path: string, wanted: unknown, { facts, absent }: KnownFacts, caller: Caller): Answer {
  if (caller === null) return NO;
  const name = `principal.claims.${path.startsWith("/") ? path.slice(1).replaceAll("/", ".") : path}`;
  // A fact has no name for a claim with a dot in its own: what has that name is another claim.
  const unnamed = path.startsWith("/") && path.includes(".");
  if (caller === undefined || unnamed || (!facts.has(name) && !absent.has(name)))
    return unknown(`the claim \`${path}\` was not recorded`);
  // Null is one: it is recorded as absent, like a claim that is not there.
  if (typeof wanted === "object") return unknown(`the claim \`${path}\` is no single value`);
  return facts.get(name) === wanted ? YES : NO;
}

/** What cannot be evaluated is not met. */
function whenOn(text: string, pairing: Pairing, known: KnownFacts): Answer {
  const truth = conditionIn(pairing, text)(known);
  if (truth === "unknown") return unknown(`\`${text}\` reads what was not recorded`);
  if (truth === true) return YES;
  return truth === false ? NO : { is: "no", code: "condition-error" };
}

function conditionIn(pairing: Pairing, text: string): RecordedCondition {
  return pairing.keep(`condition ${text}`, () => {
    const { analysed, route } = pairing.fresh;
    return conditionOn(analysed.policy, route, text) ?? (() => "unknown" as const);
  });
}

/** Parts that are asked when the body is known, or last of all. */
export function asksLate({ fresh: { route } }: Pairing): boolean {
  const demands: readonly Demand[] = [route.authorize.value, ...route.require.map(({ value }) => value)];
  return demands.some(
    (demand) =>
      typeof demand !== "string" &&
      demand.some(
        ({ when = "", forbid = "", check }) => check !== undefined || `${when} ${forbid}`.includes("body"),
      ),
  );
}
