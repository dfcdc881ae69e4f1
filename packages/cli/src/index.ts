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
export type { Shell } from "./completion/choices.js";
export { completionFor } from "./completion/run.js";
export { diagnose, type Advice, type Attempt, type Diagnosis } from "./doctor/doctor.js";
export { formatDiagnosis } from "./doctor/pretty.js";
export { readCurl, type CurlRequest } from "./explain/curl.js";
export { explain, type ExplainOptions, type Explanation } from "./explain/explain.js";
export { readHar } from "./explain/har.js";
export { formatExplanation } from "./explain/pretty.js";
export type { WireRequest } from "./explain/request.js";
export { policyFromOpenApi, type FromOpenApiOptions, type OpenApiPolicy } from "./init/from-openapi.js";
export { formatItems } from "./init/items.js";
export { STARTER, type StarterFile } from "./init/starter.js";
export { makeApiKey, type KeyGrant, type KeyRecord, type MadeKey } from "./key/api-key.js";
export type { PairAlgorithm } from "./key/choices.js";
export { makeKeyPair, type Jwk, type KeyPair } from "./key/pair.js";
export { isPasswordOf, makePasswordRecord, type PasswordRecord } from "./key/password.js";
export { diffPolicies, type AspectDiff, type PolicyDiff, type RouteDiff } from "./diff/diff.js";
export { Duel, type Candidate, type Exchange, type Step } from "./diff/duel.js";
export type { DiffFormat } from "./diff/choices.js";
export { formatDiff } from "./diff/formats.js";
export type { Witness as DiffWitness } from "./diff/search.js";
export { formatVerdict as formatLogVerdict } from "./log/run.js";
export { matrixChanges } from "./matrix/compare.js";
export type { MatrixFormat } from "./matrix/choices.js";
export { formatMatrix } from "./matrix/formats.js";
export { matrix, type Cell, type Matrix, type MatrixOptions, type MatrixRow } from "./matrix/matrix.js";
export { tableOf } from "./matrix/text.js";
export { describePolicy, type DescribeOptions } from "./openapi/describe.js";
export { driftOf, type Drift, type DriftOptions, type DriftReport } from "./openapi/drift.js";
export { formatDrift } from "./openapi/format-drift.js";
export type { Item, ItemKind } from "./openapi/list.js";
export type { SourceLoader } from "./openapi/references.js";
export type { Direction } from "./openapi/schema-drift.js";
export { OpenApiError } from "./openapi/source.js";
export type { Area, ProbeFormat } from "./probe/choices.js";
export type { Disagreement, NotAsked, ProbeReport, Untried } from "./probe/finding.js";
export { formatProbe } from "./probe/formats.js";
export type { Holder } from "./probe/keyring.js";
export { probe, type ProbeOptions } from "./probe/probe.js";
export type { PolicyCoverage, UncoveredPoint } from "./coverage/coverage.js";
export { COVERAGE_KINDS, type CoverageKind, type CoveragePoint } from "./coverage/point.js";
export { formatCoverage } from "./coverage/pretty.js";
export {
  mutatePolicy,
  suggestedTests,
  type JudgedMutant,
  type MutateOptions,
  type PolicyMutation,
} from "./mutate/mutate.js";
export { formatMutation } from "./mutate/pretty.js";
export { FailingTestsError } from "./mutate/suite.js";
export type { Witness as MutantWitness } from "./mutate/witness.js";
export type { Category as ReplayCategory, ReplayFormat } from "./replay/choices.js";
export { formatReplay } from "./replay/formats.js";
export {
  replayLog,
  type ReplayedVerdict,
  type ReplayExample,
  type ReplayFinding,
  type ReplayOptions,
  type ReplayReport,
} from "./replay/replay.js";
export { findTestFiles } from "./test/files.js";
export { formatJunit } from "./test/junit.js";
export { formatTestRun, type TestRunFormat } from "./test/pretty.js";
export {
  testPolicy,
  type PolicyTestRun,
  type TestedFile,
  type TestPolicyOptions,
} from "./test/test-policy.js";
