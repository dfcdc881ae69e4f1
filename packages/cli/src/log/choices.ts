/** What may be chosen, apart from what does it: help must not load the engine. */
export const LOG_FORMS = ["verify"] as const;
