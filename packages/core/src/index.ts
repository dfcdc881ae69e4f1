/** The only door: every public name is written out here and pinned by a test. */
export { createEngine, readCertificate } from "./engine.js";
export type { BoundEngine, Engine, EngineOptions } from "./engine.js";
export type { Exchange } from "./exchange.js";
export { readiness } from "./health.js";
export type { ReadinessAnswer, ReadinessOptions } from "./health.js";
export { pollPolicy, verifyBundle } from "./change/index.js";
export type { FollowOptions, PollHeaders, PollOptions } from "./change/poll.js";
export type { Bundle, BundleKey, BundleTrust } from "./change/bundle.js";
export type { BundleKeep, PolicyTestRunner } from "./change/follower.js";
export type {
  FollowStatus,
  PolicyChange,
  PolicyFollower,
  PolicyProblem,
  PolicyProblemReason,
} from "./change/report.js";
export { checkPolicy } from "./compile/check.js";
export { definePolicy } from "./compile/define.js";
export { parsePolicy } from "./compile/parse.js";
export { PolicyError, formatDiagnostic } from "./errors/diagnostics.js";
export { refuseUnknownOptions } from "./errors/options.js";
export type { Diagnostic } from "./errors/diagnostics.js";
export { locate as locateInPolicy } from "./compile/positions.js";
export { DIAGNOSTIC_CODES } from "./errors/diagnostic-codes.js";
export { ERRORS } from "./errors/codes.js";
export type { ErrorCode, ErrorEntry } from "./errors/codes.js";
export { STAGES } from "./stages.js";
export type { StageName } from "./stages.js";
export { inventoryProblems } from "./match/inventory.js";
export type {
  DifferingRoute,
  Precedence,
  RegisteredRoute,
  RouteInventory,
  UnnamedRoute,
} from "./match/inventory.js";
export type { FrameworkMatching } from "./match/router.js";
export { openTelemetry } from "./events/opentelemetry.js";
export type { MeterLike, OpenTelemetryOptions, SpanLike } from "./events/opentelemetry.js";
export { plainEvent } from "./events/plain.js";
export type { PlainEvent } from "./events/plain.js";
export { sampleDecisions } from "./events/sample.js";
export type { SampleRates } from "./events/sample.js";
export { AdmittedRequest } from "./model/admitted-request.js";
export type {
  Admission,
  ClientFacts,
  Continue,
  Decision,
  DecisionEvent,
  DecisionOutcome,
  DecisionTimings,
  ObservedRefusal,
  OwnAnswer,
  RecordedPrincipal,
  Rejection,
} from "./model/decision.js";
export type {
  EngineHealth,
  HealthPart,
  HealthProblem,
  HealthStatus,
  KeySetHealth,
  RevocationHealth,
  ShedHealth,
} from "./model/health.js";
export type { InputProblem } from "./model/outcome.js";
export type { PolicyDocument } from "./model/policy.js";
export type { Principal } from "./model/principal.js";
export type { ClientCertificate, HeaderField, RawBody, RawRequest, TlsFacts } from "./model/request.js";
export type { RawResponse, ShapedResponse } from "./model/response.js";
export type { ReachedRule, ReadFact, TraceStep } from "./model/state.js";
export type {
  ApiKeyLookup,
  Check,
  CheckInput,
  CustomAuthenticator,
  CustomVerdict,
  KeySeen,
} from "./ports/application.js";
export type { Clock } from "./ports/clock.js";
export type { DecisionSink, EventOptions, ServedPolicy } from "./ports/decision-sink.js";
export type { DomPurify, PurifiedAttribute, PurifierFactory } from "./ports/html-sanitizer.js";
export type { Fetch } from "./ports/outward.js";
export type { SecretsEvent } from "./compile/secret-rotation.js";
export { secretsByScheme } from "./compile/secrets-by-scheme.js";
export { Secret } from "./lib/secret.js";
export type { Revocation } from "./ports/revocations.js";
export { SecretError } from "./ports/secrets.js";
export type { SecretSource, SecretValue } from "./ports/secrets.js";
export { StoreError } from "./ports/state-store.js";
export type {
  CallContext,
  LimitOp,
  Penalty,
  LogPage,
  StateLog,
  StateStore,
  StoreHealth,
  TakePart,
  TakeResult,
  TakeSource,
  TakeToken,
} from "./ports/state-store.js";
export type { ShadowDifference, ShadowVerdict } from "./shadow/difference.js";
export type { ShadowOptions, ShadowStatus } from "./shadow/shadow.js";
export { createMemoryStore } from "./store/index.js";
export type { MemoryStoreOptions, OverflowPolicy } from "./store/index.js";
