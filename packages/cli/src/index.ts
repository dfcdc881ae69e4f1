/** The commands as functions: what `gatehouse` prints can be had without a process. */
export { audit, AUDIT_RULES, type AuditOptions } from "./audit/audit.js";
export {
  applyBaseline,
  readBaseline,
  type Acceptance,
  type Baselined,
  type Judged,
} from "./audit/baseline.js";
export type { AuditFormat, Severity } from "./audit/choices.js";
export type { AuditRule, Finding } from "./audit/finding.js";
export { formatAudit } from "./audit/formats.js";
export { check, type CheckedText } from "./check/check.js";
export { formatJson } from "./check/json.js";
export { formatPretty, type PrettyOptions } from "./check/pretty.js";
export { formatSarif } from "./check/sarif.js";
export { readCurl, type CurlRequest } from "./explain/curl.js";
export { explain, type ExplainOptions, type Explanation } from "./explain/explain.js";
export { readHar } from "./explain/har.js";
export { formatExplanation } from "./explain/pretty.js";
export type { WireRequest } from "./explain/request.js";
export { makeApiKey, type KeyGrant, type KeyRecord, type MadeKey } from "./key/api-key.js";
export type { PairAlgorithm } from "./key/choices.js";
export { makeKeyPair, type Jwk, type KeyPair } from "./key/pair.js";
export { isPasswordOf, makePasswordRecord, type PasswordRecord } from "./key/password.js";
export { diffPolicies, type AspectDiff, type PolicyDiff, type RouteDiff } from "./diff/diff.js";
export { Duel, type Candidate, type Exchange, type Step } from "./diff/duel.js";
export type { DiffFormat } from "./diff/choices.js";
export { formatDiff } from "./diff/formats.js";
export type { Witness } from "./diff/search.js";
export { matrixChanges } from "./matrix/compare.js";
export type { MatrixFormat } from "./matrix/choices.js";
export { formatMatrix } from "./matrix/formats.js";
export { matrix, type Cell, type Matrix, type MatrixOptions, type MatrixRow } from "./matrix/matrix.js";
export { tableOf } from "./matrix/text.js";
