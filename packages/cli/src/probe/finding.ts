/** What a probe tells. */
import type { Area } from "./choices.js";

/** One rule a way in which a server differs from its policy. */
export const KINDS = {
  wider: { level: "error", about: "the server serves what its policy refuses" },
  leak: { level: "error", about: "an answer holds what the policy does not let out" },
  cors: { level: "error", about: "pages of another origin are permitted more than the policy says" },
  limit: { level: "error", about: "a limit of the policy does not hold" },
  later: { level: "warning", about: "the request got past the stage at which the policy refuses it" },
  unguarded: { level: "warning", about: "something other than the policy answered" },
  failed: { level: "warning", about: "the server failed over a request that the policy refuses" },
  stricter: { level: "warning", about: "the server refuses what its policy admits" },
  header: {
    level: "warning",
    about: "a header field that the policy owes is missing, or says something else",
  },
  refusal: { level: "note", about: "the server refuses in another way than its policy says" },
  head: { level: "note", about: "content stands behind an answer that has none" },
} as const satisfies Record<string, { readonly level: "error" | "warning" | "note"; readonly about: string }>;

export type Kind = keyof typeof KINDS;

/** A difference between one answer and what the policy says of it. */
export interface Difference {
  readonly kind: Kind;
  /** What is the same in every answer in which it shows: a header field, a member. Empty: it is of this request alone. */
  readonly subject: string;
  readonly message: string;
}

export interface Disagreement {
  readonly kind: Kind;
  readonly area: Area;
  readonly message: string;
  /** What was asked, in words. */
  readonly about: string;
  /** Key of the route; null: none. */
  readonly route: string | null;
  /** JSON Pointer of the rule of the policy that decides, where one is known. */
  readonly pointer: string;
  readonly expected: string;
  readonly got: string;
  /** The head of the request, with `…` for credentials. */
  readonly request: string;
  /** In how many answers it showed. */
  readonly count: number;
}

export interface NotAsked {
  readonly why: string;
  readonly count: number;
  readonly example: string;
}

/** Questions whose connection was refused for its certificate, where the policy refuses the request: no policy and no handler was asked. */
export interface Barred {
  readonly how: string;
  readonly count: number;
  readonly example: string;
}

/** Nothing that the route admits was sent: that it serves whom it should is not known. */
export interface Untried {
  readonly route: string;
  readonly why: readonly string[];
}

export interface ProbeReport {
  readonly url: string;
  readonly policy: string;
  /** Questions that were asked and judged. */
  readonly asked: number;
  /** Requests that were sent. */
  readonly requests: number;
  /** Grave ones first. */
  readonly disagreements: readonly Disagreement[];
  readonly barred: readonly Barred[];
  readonly notAsked: readonly NotAsked[];
  readonly untried: readonly Untried[];
  /** What a reader must know to believe the rest. */
  readonly notes: readonly string[];
}
