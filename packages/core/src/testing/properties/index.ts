/** Properties of a policy for fast-check, which the caller brings along. Needs Node. */
export { arbitrariesFor } from "./arbitraries.js";
export type { PolicyArbitraries } from "./arbitraries.js";
export type { FastCheck } from "./fast-check.js";
export { CounterexampleError, never } from "./never.js";
export type { Counterexample, NeverOptions, NeverReport } from "./never.js";
export type { GeneratedRequest } from "./requests.js";
export type { Statement, Who } from "./statement.js";
export { describeStore } from "./store.js";
export type { StoreTarget, StoreTestRunner } from "./store.js";
