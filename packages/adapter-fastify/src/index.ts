/** Placeholder until the adapter stands here. */
export {};
