/** The commands as functions: what `gatehouse` prints can be had without a process. */
export { audit, AUDIT_RULES, type AuditOptions } from "./audit/audit.js";
export {
  applyBaseline,
  readBaseline,
  type Acceptance,
  type Baselined,
  type Judged,
} from "./audit/baseline.js";
export type { AuditRule, Finding, Severity } from "./audit/finding.js";
export { formatAudit, type AuditFormat } from "./audit/formats.js";
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
export { makeKeyPair, type Jwk, type KeyPair, type PairAlgorithm } from "./key/pair.js";
export { isPasswordOf, makePasswordRecord, type PasswordRecord } from "./key/password.js";
export { matrixChanges } from "./matrix/compare.js";
export { formatMatrix, type MatrixFormat } from "./matrix/formats.js";
export { matrix, type Cell, type Matrix, type MatrixOptions, type MatrixRow } from "./matrix/matrix.js";
export { tableOf } from "./matrix/text.js";
