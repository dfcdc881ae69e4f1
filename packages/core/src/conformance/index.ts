/** What every adapter and every store must pass: cases as data, and what runs them. Needs Node. */
export type {
  Case,
  CaseAnswer,
  CaseExpectation,
  CaseFile,
  CaseRequest,
  OutsideAnswer,
  Step,
  TokenRecipe,
} from "./case.js";
export type { CheckRecipe } from "./checks.js";
export { virtualClock } from "./clock.js";
export type { VirtualClock } from "./clock.js";
export { differences } from "./compare.js";
export type { Observed } from "./compare.js";
export { describeAdapter } from "./describe.js";
export type { DescribeOptions, TestRunner } from "./describe.js";
export { caseFiles } from "./files.js";
export type { NamedCaseFile } from "./files.js";
export { engineFor, rawAnswer, runOnCore } from "./core.js";
export { closeCaseFile, prepareCase, prepareRequest, stepsOf } from "./prepare.js";
export type { PreparedCase, PreparedRequest, PreparedStep } from "./prepare.js";
export { runOverSockets, whyNotOverSockets } from "./sockets.js";
export type { Lack, RunningTarget, SocketTarget, TargetStart } from "./sockets.js";
export { exchangeOverSocket, parseAnswer } from "./sockets-wire.js";
export type { WireAnswer } from "./sockets-wire.js";
export { issueCertificate, throwawayCertificate } from "./certificate.js";
export type { Attribute, Certificate, CertificateOptions, Issued } from "./certificate.js";
export { mintToken } from "./tokens.js";
