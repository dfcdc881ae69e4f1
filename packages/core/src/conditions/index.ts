/** Conditions. The only door of this room. */
export { isConditionError } from "./condition.js";
export type { Availability, CompiledFact, Condition, ConditionScope, NumberExpression } from "./condition.js";
export { compileCondition, compileNumber } from "./expressions.js";
export { compileFact } from "./fact.js";
export { limitReads } from "./limit-reads.js";
export type { PartialTruth } from "./partial.js";
export { readableFact } from "./recorded.js";
export type { ReadableFact } from "./recorded.js";
export { scopeOf } from "./scope.js";
export { equal as equalValues } from "./values.js";
