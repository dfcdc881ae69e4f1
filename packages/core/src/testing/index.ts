/** Policies are tested like code: requests without a server, as data and in any test runner. Needs Node. */
export type { TestClock } from "./clock.js";
export type { PolicyResult } from "./exchange.js";
export { policyKit } from "./kit.js";
export type { Caller, KitOptions, PolicyKit, RequestOptions } from "./kit.js";
export { expectAdmitted, expectRefused, expectResult, matchers } from "./matchers.js";
export type {
  CheckStub,
  Expectation,
  PolicyTest,
  PolicyTestFile,
  TestAnswer,
  TestCredential,
  TestPerson,
  TestRequest,
  TestStep,
} from "./policy-test.gen.js";
export { PolicyTestError } from "./problems.js";
export { readPolicyTests } from "./read.js";
export type { SentRequest } from "./request.js";
export { runPolicyTests } from "./run.js";
export type { RunOptions, SeenDecision, TestFailure, TestOutcome, TestReport } from "./run.js";
export { formatTrace } from "./trace.js";
