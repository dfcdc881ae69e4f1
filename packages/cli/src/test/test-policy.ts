/** Runs files of policy tests, one after the other. */
import { sep } from "node:path";
import { PolicyError, type Diagnostic } from "@gatehouse/core";
import {
  PolicyTestError,
  readPolicyTests,
  runPolicyTests,
  type PolicyTestFile,
  type TestOutcome,
  type TestReport,
} from "@gatehouse/core/testing";
import { policiesOf, type CoverageOf, type PolicyCoverage } from "../coverage/coverage.js";
import { reasonOf } from "../cli/io.js";
import { choiceHelp } from "../lib/near.js";

export interface TestPolicyOptions {
  /** Tests to run, by name. Default: all. */
  readonly only?: (name: string) => boolean;
  /** Stop at the first test that fails. */
  readonly bail?: boolean;
  /** Count which rules of the policies the tests reach. What one test file leaves out, another of the same policy may reach. */
  readonly coverage?: boolean;
  /** Called as soon as a test has ended. */
  readonly onTest?: (outcome: TestOutcome, file: string) => void;
}

/** One file of tests. */
export interface TestedFile {
  readonly file: string;
  /** Undefined where its tests could not be run. */
  readonly report: TestReport | undefined;
  /** Why they could not be run: what is wrong with the tests, or with their policy. */
  readonly problem: string | undefined;
  /** The same, one by one, where they have places. */
  readonly diagnostics: readonly Diagnostic[];
  /** By name of the test, milliseconds that it took. */
  readonly took: ReadonlyMap<string, number>;
}

export interface PolicyTestRun {
  readonly passed: number;
  readonly failed: number;
  /** Files that could not be run. */
  readonly broken: number;
  readonly files: readonly TestedFile[];
  /** One for each policy; empty where it was not asked for. */
  readonly coverage: readonly PolicyCoverage[];
}

/**
 * Runs policy tests as `gatehouse test` does. What fails and what cannot be run is told in the result.
 * @param files paths of files of tests
 */
export async function testPolicy(
  files: readonly string[],
  options: TestPolicyOptions = {},
): Promise<PolicyTestRun> {
  refuseUnknown(options);
  const tested: TestedFile[] = [];
  const policies = policiesOf();
  for (const file of files) {
    const one = await testFile(file, options, policies);
    tested.push(one);
    if (options.bail === true && (one.report === undefined || one.report.failed > 0)) break;
  }
  const sum = (of: (one: TestedFile) => number): number => tested.reduce((all, one) => all + of(one), 0);
  return {
    passed: sum(({ report }) => report?.passed ?? 0),
    failed: sum(({ report }) => report?.failed ?? 0),
    broken: sum(({ report }) => (report === undefined ? 1 : 0)),
    files: tested,
    coverage: [...policies.all()].map((coverage) => coverage.report()),
  };
}

const OPTIONS: readonly (keyof TestPolicyOptions)[] = ["only", "bail", "coverage", "onTest"];

function refuseUnknown(options: object): void {
  for (const name of Object.keys(options)) {
    if (!OPTIONS.some((one) => one === name))
      throw new TypeError(`unknown option \`${name}\`: ${choiceHelp(name, OPTIONS, "options")}`);
  }
}

async function testFile(
  path: string,
  { only, bail, coverage = false, onTest }: TestPolicyOptions,
  policies: ReturnType<typeof policiesOf>,
): Promise<TestedFile> {
  const took = new Map<string, number>();
  try {
    const file = await readPolicyTests(path);
    const seeing = coverage ? await policies.of(file, path) : undefined;
    let began = performance.now();
    const report = await runPolicyTests(file, {
      ...(only === undefined ? {} : { only }),
      ...(bail === undefined ? {} : { bail }),
      ...(seeing === undefined ? {} : { onDecision: seeingIn(seeing, file) }),
      onTest: (outcome) => {
        const now = performance.now();
        took.set(outcome.name, now - began);
        began = now;
        onTest?.(outcome, path);
      },
    });
    return { file: path, report, problem: undefined, diagnostics: [], took };
  } catch (error) {
    return { file: path, report: undefined, ...problemOf(error, path), took };
  }
}

function seeingIn(
  coverage: CoverageOf,
  file: PolicyTestFile,
): (seen: Parameters<CoverageOf["see"]>[0]) => void {
  return (seen) => coverage.see(seen, file);
}

/** @throws what is neither the author's mistake nor a file that cannot be read */
function problemOf(error: unknown, path: string): Pick<TestedFile, "problem" | "diagnostics"> {
  if (error instanceof PolicyTestError || error instanceof PolicyError)
    return { problem: error.message, diagnostics: error.diagnostics };
  if (error instanceof Error && "code" in error && "path" in error) {
    const name = String(error.path).replace(`${process.cwd()}${sep}`, "");
    const named = name === path ? "" : ", which `policy` of these tests names,";
    return { problem: `\`${name}\`${named} cannot be read: ${reasonOf(error, "read")}`, diagnostics: [] };
  }
  throw error;
}
