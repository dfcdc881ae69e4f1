/** What is wrong with tests that have the right shape: names that lead nowhere, steps that could show nothing. */
import { didYouMean } from "../errors/did-you-mean.js";
import type { Report } from "../errors/diagnostics.js";
import { ERRORS, STAGES } from "../index.js";
import { parseInstant } from "../lib/http-date.js";
import { parsePointer, pointerTo, valueAt } from "../lib/pointer.js";
import type { ResolvedPolicy } from "../model/resolved.js";
import type { Expectation, PolicyTest, PolicyTestFile, TestRequest, TestStep } from "./policy-test.gen.js";
import { checkStubs, type CalledCode } from "./stubs.js";

export interface FileContext {
  readonly policy: ResolvedPolicy;
  readonly calls: CalledCode;
  readonly report: Report;
}

export function checkFile(file: PolicyTestFile, context: FileContext): void {
  const { report } = context;
  checkStubs(file, context.calls, "", report);
  checkInstant(file.at, "/at", report);
  const names = new Set<string>();
  for (const [index, test] of file.tests.entries()) {
    const pointer = pointerTo("/tests", index);
    if (names.has(test.name)) {
      const help = "give each test a name of its own: reports tell them apart by it";
      report.error("duplicate-entry", pointerTo(pointer, "name"), "two tests have this name", help);
    }
    names.add(test.name);
    checkTest(test, pointer, file, context);
  }
}

function checkTest(test: PolicyTest, pointer: string, file: PolicyTestFile, context: FileContext): void {
  const { report } = context;
  checkStubs(test, context.calls, pointer, report);
  checkInstant(test.at, pointerTo(pointer, "at"), report);
  const held = new Set<string>();
  if (test.steps === undefined) return checkStep(test, pointer, held, file, context);
  for (const key of STEP_KEYS) {
    if (test[key] === undefined) continue;
    const help = "say it of one of the `steps`";
    report.error("conflicting-keys", pointerTo(pointer, key), `\`${key}\` stands beside \`steps\``, help);
  }
  for (const [index, step] of test.steps.entries())
    checkStep(step, pointerTo(pointer, "steps", index), held, file, context);
}

const STEP_KEYS = [
  "wait",
  "delay",
  "release",
  "as",
  "request",
  "answer",
  "hold",
  "repeat",
  "expect",
] as const;

function checkStep(
  step: TestStep,
  pointer: string,
  held: Set<string>,
  file: PolicyTestFile,
  context: FileContext,
): void {
  const { report } = context;
  if (step.release !== undefined && !held.delete(step.release)) {
    const message = `no step before holds an exchange \`${step.release}\``;
    report.error("unknown-name", pointerTo(pointer, "release"), message, didYouMean(step.release, held));
  }
  if (step.hold !== undefined) held.add(step.hold);
  if (step.hold !== undefined && step.repeat !== undefined) {
    const help = "write a step for each exchange that is held";
    report.error("conflicting-keys", pointerTo(pointer, "repeat"), "`repeat` stands beside `hold`", help);
  }
  checkParts(step, pointer, report);
  if (typeof step.as === "string" && !Object.hasOwn(file.people ?? {}, step.as)) {
    const message = `nobody in \`people\` is called \`${step.as}\``;
    const help = didYouMean(step.as, Object.keys(file.people ?? {}));
    report.error("unknown-name", pointerTo(pointer, "as"), message, help);
  }
  if (typeof step.request === "object") checkRequest(step.request, pointerTo(pointer, "request"), report);
  const { answer } = step;
  checkOneOf(answer, ["body", "text", "throws"], pointerTo(pointer, "answer"), report);
  if (step.expect !== undefined) checkExpectation(step.expect, pointerTo(pointer, "expect"), context);
}

/** A request of which nothing is expected, or an expectation without a request, could never fail. */
function checkParts(step: TestStep, pointer: string, report: Report): void {
  const { request, expect, wait, delay, release } = step;
  const alone = wait !== undefined || delay !== undefined || release !== undefined;
  if (request === undefined && expect === undefined && alone) {
    for (const key of ["as", "answer", "hold", "repeat"] as const) {
      if (step[key] !== undefined)
        report.error("conflicting-keys", pointerTo(pointer, key), `\`${key}\` is for a step with a request`);
    }
    return;
  }
  if (request === undefined)
    report.error("missing-key", pointer, "`request` is missing", "add `request`: `GET /orders/1`");
  if (expect === undefined) {
    const help = "say at least the `outcome` or the `status`";
    report.error("missing-key", pointer, "`expect` is missing: this could never fail", help);
  }
}

function checkRequest(request: TestRequest, pointer: string, report: Report): void {
  checkOneOf(request, ["body", "text", "base64"], pointer, report);
  const { base64, tls, https } = request;
  if (tls !== undefined && https === false)
    report.error(
      "conflicting-keys",
      pointerTo(pointer, "tls"),
      "`tls` stands beside `https` that is `false`",
    );
  for (const member of ["validFrom", "validTo"] as const)
    checkInstant(
      tls?.clientCertificate?.[member],
      pointerTo(pointer, "tls", "clientCertificate", member),
      report,
    );
  if (base64 !== undefined && Buffer.from(base64, "base64").toString("base64") !== base64)
    report.error("invalid-value", pointerTo(pointer, "base64"), "the text is no base64");
}

function checkOneOf(
  value: object | undefined,
  keys: readonly string[],
  pointer: string,
  report: Report,
): void {
  const [first, ...others] = keys.filter((key) => value !== undefined && Object.hasOwn(value, key));
  for (const key of others)
    report.error("conflicting-keys", pointerTo(pointer, key), `\`${key}\` stands beside \`${first ?? ""}\``);
}

function checkInstant(text: string | undefined, pointer: string, report: Report): void {
  if (text !== undefined && parseInstant(text) === undefined)
    report.error("invalid-value", pointer, `\`${text}\` is a day that no calendar has`);
}

function checkExpectation(expect: Expectation, pointer: string, { policy, report }: FileContext): void {
  const known = (member: string, value: unknown, names: readonly string[], what: string): void => {
    if (typeof value !== "string" || names.includes(value)) return;
    report.error(
      "unknown-name",
      pointerTo(pointer, member),
      `there is no ${what} \`${value}\``,
      didYouMean(value, names),
    );
  };
  const codes = Object.keys(ERRORS);
  known("stage", expect.stage, STAGES, "stage");
  known("code", expect.code, codes, "code");
  known("concealed", expect.concealed, codes, "code");
  for (const [index, code] of (expect.observed ?? []).entries()) {
    if (!codes.includes(code))
      report.error(
        "unknown-name",
        pointerTo(pointer, "observed", index),
        `there is no code \`${code}\``,
        didYouMean(code, codes),
      );
  }
  known(
    "route",
    expect.route,
    policy.routes.map(({ key }) => key),
    "route",
  );
  const { rule } = expect;
  if (rule !== undefined && valueAt(policy.document, parsePointer(rule) ?? []) === undefined) {
    const help = "a JSON Pointer into the policy, with `~1` for each `/` in a key";
    report.error(
      "unknown-name",
      pointerTo(pointer, "rule"),
      `nothing stands in the policy at \`${rule}\``,
      help,
    );
  }
  if (expect.outcome === "admit" && expect.code !== undefined)
    report.error("conflicting-keys", pointerTo(pointer, "code"), "an admitted request has no code");
  if (expect.handler !== undefined && expect.outcome !== undefined && expect.outcome !== "admit")
    report.error(
      "conflicting-keys",
      pointerTo(pointer, "handler"),
      "the handler reads nothing where nothing is admitted",
    );
}
