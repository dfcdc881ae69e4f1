/** What may be chosen, apart from what does it: help must not load more. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];
