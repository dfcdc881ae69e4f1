/** What can be reached: one point is one outcome of one rule. */

export const COVERAGE_KINDS = [
  "routes",
  "authenticators",
  "authorize",
  "conditions",
  "limits",
  "schemas",
  "redactions",
  "sanitizing",
  "responses",
  "cors",
  "csrf",
  "transport",
  "refusals",
] as const;

export type CoverageKind = (typeof COVERAGE_KINDS)[number];

export interface CoveragePoint {
  readonly kind: CoverageKind;
  /** JSON Pointer of the rule. */
  readonly pointer: string;
  /** What must have come of it: `admitted`, `missed`, `true`, a code of a refusal … */
  readonly outcome: string;
  /** Of a condition: the part, as it is written. */
  readonly part?: string;
  /** Where that is, from and up to which character, as the engine's parser counts. */
  readonly range?: readonly [from: number, to: number];
}

export function idOf({ kind, pointer, outcome, range }: CoveragePoint): string {
  return [kind, pointer, outcome, ...(range ?? [])].join(" ");
}
