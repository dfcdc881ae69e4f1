/** What may be chosen, apart from what does it: help must not load the engine. */
export const PROBE_FORMATS = ["pretty", "json", "sarif"] as const;
export type ProbeFormat = (typeof PROBE_FORMATS)[number];

/** What is asked about, in the order in which it is asked: floods last, for they leave limits spent. */
export const AREAS = [
  "callers",
  "tokens",
  "proofs",
  "input",
  "paths",
  "methods",
  "cors",
  "csrf",
  "transport",
  "framing",
  "limits",
] as const;
export type Area = (typeof AREAS)[number];

export const DEFAULTS = { rate: 20, maxRequests: 2000, wait: "90s" } as const;
