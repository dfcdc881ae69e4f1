/** What a comparison of two policies says. */
import type { AnalysedPolicy, ResolvedRoute } from "@gatehouse/core/analysis";

export const VERDICTS = ["same", "wider", "narrower", "changed both ways", "undecided"] as const;
export type Verdict = (typeof VERDICTS)[number];

/** In the order in which they are told. */
export const ASPECTS = [
  "routing",
  "mode",
  "transport",
  "cors",
  "authentication",
  "csrf",
  "limits",
  "request",
  "authorization",
  "response",
  "headers",
  "errors",
  "record",
] as const;
export type Aspect = (typeof ASPECTS)[number];

/** One policy's half of a row. */
export interface Side {
  readonly name: "old" | "new";
  readonly analysed: AnalysedPolicy;
  /** Where no route matched: what holds there. */
  readonly route: ResolvedRoute;
  readonly matched: boolean;
}

/** A way to the row: a method and a path, spelled out. */
export interface Cell {
  readonly method: string;
  /** Decoded. */
  readonly segments: readonly string[];
}

/** All requests that the old policy leads to one route (or none), and the new policy to one route (or none). */
export interface Pair {
  readonly old: Side;
  readonly new: Side;
  readonly cells: readonly Cell[];
  /** Paths without a route, at which one side tells of methods that the other does not (405 with `Allow`). */
  readonly told: { readonly old: readonly Cell[]; readonly new: readonly Cell[] };
}

/** True: whatever the one lets pass, the other lets pass too. Else why that could not be shown. */
export type Proof = { readonly shown: true } | { readonly shown: false; readonly why: string };

export const SHOWN: Proof = { shown: true };

export function notShown(why: string): Proof {
  return { shown: false, why };
}

/** The first that is not shown. */
export function all(...proofs: readonly Proof[]): Proof {
  return proofs.find(({ shown }) => !shown) ?? SHOWN;
}

export function shownIf(holds: boolean, why: string): Proof {
  return holds ? SHOWN : notShown(why);
}
