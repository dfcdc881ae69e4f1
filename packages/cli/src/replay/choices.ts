/** What may be chosen, apart from what does it: help must not load the engine. */
export const REPLAY_FORMATS = ["pretty", "json"] as const;
export type ReplayFormat = (typeof REPLAY_FORMATS)[number];

/** In the order in which they are told. */
export const CATEGORIES = ["newly admitted", "newly refused", "changed code", "unknown", "same"] as const;
export type Category = (typeof CATEGORIES)[number];

/** What `--fail-on` names. */
export const FAILING = {
  "newly-admitted": "newly admitted",
  "newly-refused": "newly refused",
  "changed-code": "changed code",
  unknown: "unknown",
} as const satisfies Readonly<Record<string, Category>>;
export type FailOn = keyof typeof FAILING;
