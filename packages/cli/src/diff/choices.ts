/** What may be chosen, apart from what does it: help must not load the engine. */
export const DIFF_FORMATS = ["pretty", "json", "markdown"] as const;
export type DiffFormat = (typeof DIFF_FORMATS)[number];
