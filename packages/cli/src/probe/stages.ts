/** In which order the engine refuses: whose code comes later got further. */
const ORDER: readonly (readonly string[])[] = [
  [
    "ambiguous-path",
    "malformed-request",
    "duplicate-header",
    "ambiguous-framing",
    "ambiguous-host",
    "method-override",
    "malformed-query",
    "expectation-failed",
    "too-early",
    "header-section-too-large",
    "target-too-long",
  ],
  ["https-required", "misdirected-host", "upgrade-refused"],
  ["not-found", "method-not-allowed"],
  ["origin-not-allowed"],
  ["rate-limited", "missing-limit-fact", "capacity-reduced"],
  ["unauthenticated", "invalid-credential", "conflicting-credentials", "insufficient-authentication"],
  ["cross-site-request"],
  ["invalid-parameters"],
  ["forbidden", "insufficient-scope", "condition-error"],
  ["unsupported-media-type", "body-too-large", "unexpected-body", "missing-body", "malformed-body"],
  ["invalid-body"],
];

/** Infinity: no refusal of a request. */
export function stageOf(code: string): number {
  const index = ORDER.findIndex((codes) => codes.includes(code));
  return index < 0 ? Infinity : index;
}
