/** A run of tests for a reader at a terminal: what failed, with the trace of its decision, and the counts. */
import type { TestOutcome } from "@gatehouse/core/testing";
import { paint, type Paint } from "../cli/paint.js";
import { printable } from "../lib/printable.js";
import type { PolicyTestRun, TestedFile } from "./test-policy.js";

export interface TestRunFormat {
  /** Escape sequences for a terminal. Default false. */
  readonly colour?: boolean;
  /** Name the tests that pass, too. Default false. */
  readonly verbose?: boolean;
}

export function formatTestRun(
  run: PolicyTestRun,
  { colour = false, verbose = false }: TestRunFormat = {},
): string {
  const style = paint(colour);
  return [...run.files.flatMap((one) => fileLines(one, verbose, style)), totals(run, style), ""].join("\n");
}

function fileLines({ file, report, problem }: TestedFile, verbose: boolean, style: Paint): string[] {
  if (report === undefined)
    return [
      `${style("red", "!")} ${printable(file)} cannot be run`,
      ...printable(problem ?? "")
        .split("\n")
        .map((line) => `    ${line}`),
      "",
    ];
  const mark = report.failed === 0 ? style("green", "✓") : style("red", "✗");
  const head = `${mark} ${printable(file)} (${printable(report.policy)}): ${counts(report.passed, report.failed)}`;
  const tests = report.tests.flatMap((test) => testLines(test, file, verbose, style));
  return [head, ...tests, ...(tests.length === 0 ? [] : [""])];
}

function testLines(
  { name, status, line, failures }: TestOutcome,
  file: string,
  verbose: boolean,
  style: Paint,
): string[] {
  if (status === "passed") return verbose ? [`  ${style("green", "✓")} ${printable(name)}`] : [];
  const place = line === undefined ? file : `${file}:${line}`;
  return [
    `  ${style("red", "✗")} ${style("bold", printable(name))} ${style("dim", printable(place))}`,
    ...failures.flatMap(({ message }, index) => {
      // The first line of a message is the name and the step, for readers who have nothing else.
      const [first = "", ...rest] = printable(message).split("\n");
      const step = /\((\/[^)]*)\)$/u.exec(first)?.[1] ?? "";
      const lines = rest.map((text) => `    ${text.replace(/^ {2}/u, "")}`);
      return failures.length > 1 || step.includes("/steps/")
        ? [`    ${index === 0 ? "" : ""}at ${step}`, ...lines]
        : lines;
    }),
  ];
}

function counts(passed: number, failed: number): string {
  return failed === 0 ? `${passed} passed` : `${passed} passed, ${failed} failed`;
}

function totals({ passed, failed, broken, files }: PolicyTestRun, style: Paint): string {
  const what =
    counts(passed, failed) + (broken === 0 ? "" : `, ${broken} ${broken === 1 ? "file" : "files"} not run`);
  const where = files.length === 1 ? "" : ` in ${files.length} files`;
  return style(failed + broken === 0 ? "green" : "red", `${what}${where}`);
}
