/**
 * A policy to be reasoned about, for tools that compare or explain: what applies to each route, where a path leads, and conditions as
 * trees. It decides nothing; what a request meets is the engine's to say.
 */
export { analyse, type AnalysedPolicy } from "./analyse.js";
export { seeCaller, type CallerView, type SeenHop } from "./caller.js";
export { parseCondition, readCondition, type ConditionTree } from "./condition-tree.js";
export type { ASTNode as ConditionSyntax } from "../conditions/ast.js";
export { conditionOn, type KnownFacts, type KnownPrincipal, type RecordedCondition } from "./recorded.js";
export { addressesAround, inRanges, NAMED_RANGE_NAMES } from "./addresses.js";
export { ANNOTATIONS } from "../lib/schema-annotations.js";
export { FORMAT_NAMES } from "../lib/format-names.js";
export { resolveAuthenticators } from "../compile/carriers.js";
export { HEADER_PRESETS } from "./header-presets.js";
export type {
  Carrier,
  PatternPart,
  Placed,
  ResolvedAuthenticate,
  ResolvedAuthenticator,
  ResolvedErrors,
  ResolvedHeaders,
  ResolvedPolicy,
  ResolvedRequest,
  ResolvedResponse,
  ResolvedRoute,
} from "../model/resolved.js";
export type {
  AuthorizeEntry,
  CorsSettings,
  CsrfSettings,
  JsonSchema,
  JwtSettings,
  LimitSettings,
} from "../model/policy.js";
