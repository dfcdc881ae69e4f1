/** What `gatehouse test` does. */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, relative, resolve, sep } from "node:path";
import { EXIT, UsageError, type Io } from "../cli/io.js";
import type { Input } from "../cli/input.js";
import { formatCoverage } from "../coverage/pretty.js";
import { printable } from "../lib/printable.js";
import { PolicyError } from "@gatehouse/core";
import { PolicyTestError } from "@gatehouse/core/testing";
import { mutatePolicy, suggestedTests, type PolicyMutation } from "../mutate/mutate.js";
import { formatMutation } from "../mutate/pretty.js";
import { FailingTestsError } from "../mutate/suite.js";
import { findTestFiles } from "./files.js";
import { formatJunit } from "./junit.js";
import { formatTestRun } from "./pretty.js";
import { filesNamedBy, watchFiles } from "./watch.js";
import { testPolicy, type PolicyTestRun } from "./test-policy.js";

export async function runTests(input: Input, io: Io): Promise<number> {
  const wanted = readWanted(input);
  const files = await findTestFiles(input.operands);
  return input.flag("watch") ? await forever(input, wanted, io) : await once(input, files, wanted, io);
}

/** What is asked for besides the tests. */
interface Wanted {
  readonly coverage: boolean;
  readonly coverageMin: number | undefined;
  readonly mutate: boolean;
  readonly mutateMin: number | undefined;
  readonly suggest: string | undefined;
  readonly jobs: number;
  readonly requests: boolean;
}

function readWanted(input: Input): Wanted {
  const coverageMin = percentOf(input, "coverage-min");
  const mutateMin = percentOf(input, "mutate-min");
  const suggest = input.text("suggest");
  const jobs = input.text("jobs") ?? String(availableParallelism());
  if (!/^[1-9]\d{0,2}$/u.test(jobs))
    throw new UsageError(`\`--jobs\` cannot be \`${jobs}\``, "write a whole number from 1");
  const mutate = input.flag("mutate") || mutateMin !== undefined || suggest !== undefined;
  if (mutate && (input.has("filter") || input.has("only")))
    throw new UsageError(
      "`--mutate` asks all tests: with some of them every score would be low",
      "leave `--filter` and `--only` out",
    );
  // Before the work, and not after it.
  if (suggest !== undefined && suggest !== "-" && existsSync(resolve(suggest)))
    throw new UsageError(`\`${suggest}\` cannot be written: it is there already`);
  const requests = !input.flag("no-requests");
  if (suggest !== undefined && !requests)
    throw new UsageError("`--no-requests` leaves nothing for `--suggest` to write");
  if (suggest === "-" && input.flag("json"))
    throw new UsageError("`--json` and `--suggest -` would both be printed", "name a file for the tests");
  return {
    coverage: input.flag("coverage") || coverageMin !== undefined,
    coverageMin,
    mutate,
    mutateMin,
    suggest,
    jobs: Number(jobs),
    requests,
  };
}

/** Until the process is interrupted. */
async function forever(input: Input, wanted: Wanted, io: Io): Promise<never> {
  for (;;) {
    // Begun before the run: what changes while it lasts is run again.
    const files = await findTestFiles(input.operands).catch(() => input.operands);
    const watching = watchFiles(await filesNamedBy(files));
    try {
      await once(input, files, wanted, io);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      io.err(`gatehouse: ${error.message}\n`);
    }
    io.err("waiting for a change; Ctrl-C ends it\n");
    await watching.changed;
    watching.close();
  }
}

async function once(input: Input, files: readonly string[], wanted: Wanted, io: Io): Promise<number> {
  const { coverage } = wanted;
  const run = await testPolicy(files, { only: selection(input), bail: input.flag("bail"), coverage });
  const junit = input.text("junit");
  if (junit !== undefined) await io.write(junit, formatJunit(run), true);
  if (run.passed + run.failed + run.broken === 0)
    throw new UsageError(
      "no test has such a name",
      "`--filter` looks for a text in names, `--only` is a whole name",
    );
  const good = run.failed + run.broken === 0;
  const mutations = wanted.mutate && good ? await mutate(files, wanted, io) : [];
  const suggesting = wanted.suggest === "-";
  if (input.flag("json")) io.out(formatTestJson(run, wanted.mutate && good ? mutations : undefined));
  else {
    // Where tests are printed, what is said to readers is not to be among them.
    const say = (text: string): void => (suggesting ? io.err(text) : io.out(text));
    say(formatTestRun(run, { colour: io.colour, verbose: input.flag("verbose") }));
    // Of tests that did not run everything would be told as not reached.
    if (coverage && run.broken > 0)
      say("\nno coverage: it tells something only where every file can be run\n");
    else if (coverage) say(`\n${formatCoverage(run.coverage, { colour: io.colour })}`);
    if (mutations.length > 0) say(`\n${formatMutation(mutations, { colour: io.colour })}`);
    if (wanted.mutate && !good) say("\nno mutants: they tell something only where all tests pass\n");
    if (run.broken === 0) for (const text of shortfalls(run, mutations, wanted)) say(`\n${text}\n`);
  }
  if (wanted.suggest !== undefined && good) await suggest(mutations, wanted.suggest, io);
  if (run.broken > 0) return EXIT.usage;
  return run.failed > 0 || shortfalls(run, mutations, wanted).length > 0 ? EXIT.findings : EXIT.ok;
}

function shortfalls(
  { coverage }: PolicyTestRun,
  mutations: readonly PolicyMutation[],
  { coverageMin = 0, mutateMin = 0 }: Wanted,
): readonly string[] {
  return [
    ...coverage
      .filter(({ percent }) => percent < coverageMin)
      .map(({ policy, percent }) =>
        printable(`coverage of ${policy} is ${percent} %, less than ${coverageMin} %`),
      ),
    ...mutations
      .filter(({ score }) => score < mutateMin)
      .map(({ policy, score }) =>
        printable(`the mutation score of ${policy} is ${score} %, less than ${mutateMin} %`),
      ),
  ];
}

async function mutate(
  files: readonly string[],
  { jobs, requests }: Wanted,
  io: Io,
): Promise<readonly PolicyMutation[]> {
  let shown = "";
  const tell = (text: string): void => {
    if (io.watched && text !== shown) io.err(`\r${text.padEnd(shown.length)}`);
    shown = text;
  };
  const found = await mutatePolicy(files, {
    jobs,
    witnesses: requests,
    onProgress: (done, all, what) =>
      tell(what === "mutants" ? `mutants ${done} of ${all}` : `requests for survivors ${done} of ${all}`),
  }).catch((error: unknown) => {
    // They passed a moment ago: a file was changed meanwhile, or a test does not come out the same each time.
    throw isOfTests(error) ? new UsageError(error.message) : error;
  });
  if (io.watched) io.err(`\r${" ".repeat(shown.length)}\r`);
  return found;
}

function isOfTests(error: unknown): error is Error {
  return (
    error instanceof PolicyError || error instanceof PolicyTestError || error instanceof FailingTestsError
  );
}

async function suggest(mutations: readonly PolicyMutation[], file: string, io: Io): Promise<void> {
  const [first, ...others] = mutations.filter(({ mutants }) =>
    mutants.some(({ witness }) => witness !== undefined),
  );
  if (first === undefined) return io.err("no tests to suggest\n");
  if (others.length > 0)
    throw new UsageError(
      "`--suggest` writes tests of one policy",
      "run it for the tests of one policy at a time",
    );
  const policy =
    file === "-"
      ? first.policy
      : relative(dirname(resolve(file)), resolve(first.policy))
          .split(sep)
          .join("/");
  const text = `${JSON.stringify({ ...suggestedTests(first), policy }, null, 2)}\n`;
  if (file === "-") io.out(text);
  else await io.write(file, text, false);
}

function selection(input: Input): (name: string) => boolean {
  const texts = input.texts("filter").map((text) => text.toLowerCase());
  const names = input.texts("only");
  if (texts.length + names.length === 0) return () => true;
  return (name) => names.includes(name) || texts.some((text) => name.toLowerCase().includes(text));
}

function percentOf(input: Input, option: string): number | undefined {
  const text = input.text(option);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+(?:\.\d+)?$/u.test(text) || value > 100)
    throw new UsageError(`\`--${option}\` cannot be \`${text}\``, "write a number from 0 to 100");
  return value;
}

/** For programs: without what only a reader of the trace needs. */
export function formatTestJson(
  { passed, failed, broken, files, coverage }: PolicyTestRun,
  mutations?: readonly PolicyMutation[],
): string {
  const told = {
    passed,
    failed,
    broken,
    files: files.map(({ file, report, problem, diagnostics }) => ({
      file,
      ...(report === undefined
        ? { problem, diagnostics }
        : {
            policy: report.policy,
            passed: report.passed,
            failed: report.failed,
            tests: report.tests.map(({ name, status, pointer, line, failures }) => ({
              name,
              status,
              pointer,
              line,
              failures: failures.map(({ pointer, time, differences, message, result }) => ({
                pointer,
                time,
                differences,
                message,
                trace: result.trace,
              })),
            })),
          }),
    })),
    coverage,
    ...(mutations === undefined ? {} : { mutations }),
  };
  return `${JSON.stringify(told, null, 2)}\n`;
}
