/** Runs policy tests that are data. */
import { dirname, resolve } from "node:path";
import { fileOf, locate, withPositions } from "../compile/positions.js";
import { Report } from "../errors/diagnostics.js";
import type { DecisionEvent, FrameworkMatching, PolicyDocument } from "../index.js";
import { pointerTo } from "../lib/pointer.js";
import { readPolicy } from "../node/index.js";
import { checkFile } from "./check-file.js";
import { differences } from "./compare.js";
import { exchangeIn, type PolicyResult } from "./exchange.js";
import type { KnownPerson } from "./people.js";
import type { PolicyTest, PolicyTestFile, TestPerson, TestStep } from "./policy-test.gen.js";
import { PolicyTestError } from "./problems.js";
import { closedWorld, readPolicyTests } from "./read.js";
import { requestOf, sentRequest } from "./request.js";
import { describeResult } from "./trace.js";
import { World } from "./world.js";

/** One decision of a test, for whoever counts what the tests have reached. */
export interface SeenDecision {
  /** Name of the test. */
  readonly test: string;
  /** JSON Pointer of the step in the file. */
  readonly pointer: string;
  readonly result: PolicyResult;
  /** With its trace: every stage, the rule that it went by, and what it read. */
  readonly event: DecisionEvent;
}

export interface RunOptions {
  /**
   * A policy in place of the one that the file names. What only the file's own policy can tell (that a route or role exists) is not
   * checked then: the same tests may meet a policy that was changed on purpose.
   */
  readonly policy?: PolicyDocument;
  /** Where a relative path of the policy begins. Default: the folder of the test file, else the working directory. */
  readonly folder?: string;
  /** Tests to run, by name. Default: all. */
  readonly only?: (name: string) => boolean;
  /** Stop at the first test that fails. What was not run is not in the report. */
  readonly bail?: boolean;
  /** How the server's framework matches. Default: paths with a slash at their end and without are two, case counts. */
  readonly matching?: FrameworkMatching;
  /** Called for every exchange of every test, when it has ended. */
  readonly onDecision?: (seen: SeenDecision) => void;
  /** Called as soon as a test has ended. */
  readonly onTest?: (outcome: TestOutcome) => void;
}

export interface TestReport {
  /** Path of the file of tests, where there is one. */
  readonly file: string | undefined;
  /** Name of the policy. */
  readonly policy: string;
  readonly passed: number;
  readonly failed: number;
  readonly tests: readonly TestOutcome[];
}

export interface TestOutcome {
  readonly name: string;
  readonly status: "passed" | "failed";
  /** JSON Pointer of the test in its file. */
  readonly pointer: string;
  /** Where it stands, 1-based; undefined where the tests were not read from a file. */
  readonly line: number | undefined;
  /** Empty where it passed. */
  readonly failures: readonly TestFailure[];
}

/** A step that came out otherwise. */
export interface TestFailure {
  readonly pointer: string;
  /** Which of the repeated requests, from 1. */
  readonly time: number;
  readonly differences: readonly string[];
  readonly result: PolicyResult;
  /** All of it to read: the differences, the request, and the trace of its decision. */
  readonly message: string;
}

/**
 * Runs the tests of a file. A test that fails is told in the report; nothing is thrown for it.
 * @param tests path of a `*.policy-test.json`, or what `readPolicyTests` made of one, or the same written as an object
 * @throws PolicyTestError (rejects) for tests that cannot be run as they are written
 * @throws PolicyError (rejects) for a policy that cannot be served
 */
export async function runPolicyTests(
  tests: string | PolicyTestFile,
  options: RunOptions = {},
): Promise<TestReport> {
  const file = typeof tests === "string" ? await readPolicyTests(tests) : closedWorld(tests);
  const { policy = await policyOf(file, options.folder), matching } = options;
  const world = await World.of(policy, { secrets: file.secrets, matching });
  try {
    const people = prepare(file, world, options.policy === undefined);
    const outcomes: TestOutcome[] = [];
    for (const [index, test] of file.tests.entries()) {
      if (options.only?.(test.name) === false) continue;
      const outcome = await new Run(file, world, people, options).test(test, pointerTo("/tests", index));
      outcomes.push(outcome);
      options.onTest?.(outcome);
      if (options.bail === true && outcome.status === "failed") break;
    }
    const failed = outcomes.filter(({ status }) => status === "failed").length;
    return {
      file: fileOf(file),
      policy: policy.name,
      passed: outcomes.length - failed,
      failed,
      tests: outcomes,
    };
  } finally {
    await world.close();
  }
}

async function policyOf(file: PolicyTestFile, folder: string | undefined): Promise<PolicyDocument> {
  const { policy } = file;
  // Whether it is one is told by what compiles it.
  if (typeof policy === "object") return policy as unknown as PolicyDocument;
  const path = fileOf(file);
  return readPolicy(resolve(folder ?? (path === undefined ? "." : dirname(path)), policy));
}

/** Persons by the pointer at which they stand: those of `people`, and those that a step writes out. */
type People = ReadonlyMap<string, KnownPerson>;

function prepare(file: PolicyTestFile, world: World, strict: boolean): People {
  const report = new Report();
  if (strict) checkFile(file, { policy: world.policy, calls: world.calls, report });
  const people = new Map<string, KnownPerson>();
  const know = (name: string, person: TestPerson, pointer: string): void =>
    void people.set(pointer, world.know(name, person, pointer, report));
  for (const [name, person] of Object.entries(file.people ?? {}))
    know(name, person, pointerTo("/people", name));
  for (const [index, test] of file.tests.entries()) {
    for (const [step, pointer] of stepsOf(test, pointerTo("/tests", index))) {
      if (typeof step.as === "object") know("somebody", step.as, pointerTo(pointer, "as"));
    }
  }
  if (strict && report.failed) throw new PolicyTestError(withPositions(file, report.diagnostics));
  return people;
}

function stepsOf(test: PolicyTest, pointer: string): readonly (readonly [TestStep, string])[] {
  if (test.steps === undefined) return [[test, pointer]];
  return test.steps.map((step, index) => [step, pointerTo(pointer, "steps", index)] as const);
}

class Run {
  readonly #held = new Map<string, PolicyResult>();
  readonly #failures: TestFailure[] = [];

  constructor(
    private readonly file: PolicyTestFile,
    private readonly world: World,
    private readonly people: People,
    private readonly options: RunOptions,
  ) {}

  async test(test: PolicyTest, pointer: string): Promise<TestOutcome> {
    const { file, world } = this;
    world.begin(test.at ?? file.at, {
      checks: { ...file.checks, ...test.checks },
      authenticators: { ...file.authenticators, ...test.authenticators },
      lookups: { ...file.lookups, ...test.lookups },
    });
    for (const [step, place] of stepsOf(test, pointer)) await this.step(test.name, step, place);
    for (const result of this.#held.values()) result.release();
    return {
      name: test.name,
      status: this.#failures.length === 0 ? "passed" : "failed",
      pointer,
      line: locate(file, pointer)?.line,
      failures: this.#failures,
    };
  }

  private async step(test: string, step: TestStep, pointer: string): Promise<void> {
    const { world, file } = this;
    if (step.wait !== undefined) world.clock.advance(step.wait);
    if (step.delay !== undefined) world.delay(step.delay);
    if (step.release !== undefined) this.#held.get(step.release)?.release();
    if (step.request === undefined || step.expect === undefined) return;
    for (let time = 1; time <= (step.repeat ?? 1); time += 1) {
      const person = this.personOf(step, pointer);
      const request = requestOf(step.request);
      const sent = sentRequest(request, file.requests ?? {}, person, world.moment, world.policy);
      const { onDecision } = this.options;
      const result = await exchangeIn(world, sent, {
        person,
        answer: step.answer ?? {},
        hold: step.hold !== undefined,
        ended: (result, event) => onDecision?.({ test, pointer, result, event }),
      });
      if (step.hold !== undefined) this.#held.set(step.hold, result);
      const found = differences(step.expect, result);
      if (found.length > 0) this.fail(test, pointer, time, found, result);
    }
  }

  private personOf({ as }: TestStep, pointer: string): KnownPerson | undefined {
    if (as === undefined) return undefined;
    return this.people.get(typeof as === "string" ? pointerTo("/people", as) : pointerTo(pointer, "as"));
  }

  private fail(
    test: string,
    pointer: string,
    time: number,
    found: readonly string[],
    result: PolicyResult,
  ): void {
    const which = time === 1 ? "" : `, request ${time}`;
    const lines = [`${test} (${pointer}${which})`, ...found, describeResult(result)];
    this.#failures.push({
      pointer,
      time,
      differences: found,
      result,
      message: lines.join("\n").replaceAll("\n", "\n  "),
    });
  }
}
