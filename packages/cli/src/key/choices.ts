/** What may be chosen, apart from what does it: help must not load the engine. */
export const KINDS = ["api-key", "basic", "jwk"] as const;
export type Kind = (typeof KINDS)[number];

export const PAIR_ALGORITHMS = ["ES256", "EdDSA", "RS256"] as const;
export type PairAlgorithm = (typeof PAIR_ALGORITHMS)[number];
