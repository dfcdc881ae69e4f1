/** A run as JUnit XML, as CI systems read it: a suite for each file, a case for each test. */
import type { PolicyTestRun, TestedFile } from "./test-policy.js";

export function formatJunit({ files, passed, failed, broken }: PolicyTestRun): string {
  const all = passed + failed + broken;
  const lines = [
    `<?xml version="1.0" encoding="UTF-8"?>`,
    `<testsuites${attributes({ name: "gatehouse test", tests: all, failures: failed, errors: broken, time: seconds(total(files)) })}>`,
    ...files.flatMap(suite),
    `</testsuites>`,
  ];
  return `${lines.join("\n")}\n`;
}

function suite(one: TestedFile): string[] {
  const { file, report, problem, took } = one;
  const counts = {
    name: file,
    tests: report?.tests.length ?? 1,
    failures: report?.failed ?? 0,
    errors: report === undefined ? 1 : 0,
    skipped: 0,
    time: seconds(total([one])),
  };
  const cases =
    report === undefined
      ? [
          `    <testcase${attributes({ name: "the tests can be run", classname: file })}>`,
          `      <error${attributes({ message: firstLine(problem ?? "") })}>${text(problem ?? "")}</error>`,
          `    </testcase>`,
        ]
      : report.tests.flatMap(({ name, line, failures }) => {
          const head = attributes({
            name,
            classname: file,
            file,
            ...(line === undefined ? {} : { line }),
            time: seconds(took.get(name) ?? 0),
          });
          if (failures.length === 0) return [`    <testcase${head}/>`];
          return [
            `    <testcase${head}>`,
            ...failures.map(
              ({ differences, message }) =>
                `      <failure${attributes({ message: differences.join("; "), type: "difference" })}>${text(message)}</failure>`,
            ),
            `    </testcase>`,
          ];
        });
  return [`  <testsuite${attributes(counts)}>`, ...cases, `  </testsuite>`];
}

function total(files: readonly TestedFile[]): number {
  return files.flatMap(({ took }) => [...took.values()]).reduce((all, one) => all + one, 0);
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}

function firstLine(problem: string): string {
  return problem.split("\n", 1)[0] ?? "";
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(
      ([name, value]) =>
        ` ${name}="${escaped(String(value)).replaceAll(/[\t\n\r]/gu, (space) => `&#${space.charCodeAt(0)};`)}"`,
    )
    .join("");
}

/** A carriage return that stood there as itself would be read back as a line feed (XML 1.0 section 2.11). */
function text(value: string): string {
  return escaped(value).replaceAll("\r", "&#13;");
}

/** Characters that XML 1.0 has no way to write (section 2.2), such as escape sequences, become a question mark of Unicode's. */
function escaped(value: string): string {
  return value
    .replaceAll(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, "\u{FFFD}")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
