// `npm test`: everything that must hold, in one command, cheapest first. Steps of one phase run beside each other, as many as
// there are cores; vitest fills the cores alone, so each of its runs is a phase.
// The last line counts vitest's tests; a step that failed or was skipped counts as one more, so that the line
// never looks greener than the run. Where CI=true a step that cannot run is a failure: CI owes the whole proof.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { whyNoBrowser } from "./lib/chromium.mjs";

const root = new URL("..", import.meta.url).pathname;
const ci = process.env.CI === "true";
const bin = (name) => join(root, "node_modules/.bin", name);
const node = process.execPath;
/** By the step that writes it. */
const reports = {
  tests: "reports/vitest.json",
  "tests on dist": "reports/vitest-dist.json",
};

const vitest = (report, ...more) => [
  bin("vitest"),
  "run",
  "--reporter=default",
  "--reporter=json",
  `--outputFile.json=${report}`,
  ...more,
];

/**
 * `cannot` returns why a step cannot run on this machine; `after` names the step whose product it needs: an earlier one.
 * @type {readonly (readonly { name: string; run: string[][]; after?: string; cannot?: () => string | undefined }[])[]}
 */
const phases = [
  [
    { name: "lock", run: [[node, "scripts/lockcheck.mjs"]] },
    { name: "format", run: [[bin("oxfmt"), "--check", "."]] },
    { name: "generated files are fresh", run: [[node, "scripts/gen.mjs", "--check"]] },
    { name: "lint", run: [[bin("oxlint"), "--type-aware", "--deny-warnings"]] },
    { name: "build", run: [[node, "scripts/build.mjs"]] },
    { name: "packages", run: [[node, "scripts/packcheck.mjs"]], after: "build" },
    { name: "types", run: [[bin("tsc"), "-p", "tsconfig.test.json"]], after: "build" },
  ],
  [
    // Adapters and the command are tested as they are built, so the sources are asked for the rest.
    {
      name: "tests",
      run: [vitest(reports.tests, "--project", "!served")],
      shows: true,
    },
  ],
  [
    {
      name: "tests on dist",
      run: [vitest(reports["tests on dist"])],
      env: { GATEHOUSE_DIST: "1" },
      after: "build",
      shows: true,
    },
  ],
  [
    // The longest first: the others fit beside it.
    { name: "consumers", run: [[node, "scripts/consumers.mjs"]], after: "build" },
    {
      // About 25 s of processor time: too long for a test of vitest's.
      name: "the orders policy is tested",
      run: [
        [
          node,
          "packages/cli/dist/bin.js",
          "test",
          "examples/orders/orders.policy-test.json",
          "--coverage-min",
          "100",
          "--mutate-min",
          "95",
          "--no-requests",
        ],
      ],
      after: "build",
    },
    {
      name: "examples",
      run: [[node, "scripts/examples.mjs"]],
      after: "build",
      cannot: () =>
        spawnSync("curl", ["--version"]).error === undefined
          ? undefined
          : "no curl: the examples print curl lines",
    },
    { name: "bench works", run: [[node, "bench/run.mjs", "--short"]], after: "build" },
    {
      name: "browser",
      run: [
        [node, "scripts/browser.mjs"],
        [node, "scripts/browser-cors.mjs"],
        [node, "scripts/browser-csrf.mjs"],
        [node, "scripts/browser-sanitize.mjs"],
      ],
      after: "build",
      cannot: whyNoBrowser,
    },
    {
      name: "Bun, Deno and workerd",
      run: [[node, "scripts/fetch-runtimes.mjs"]],
      after: "build",
      cannot: () =>
        ci || process.env.GATEHOUSE_RUNTIMES === "1"
          ? undefined
          : "downloads three runtimes: set GATEHOUSE_RUNTIMES=1 to run it",
    },
    {
      name: "other Nodes",
      run: [[node, "scripts/runtimes.mjs"]],
      after: "build",
      cannot: () =>
        ci || process.env.GATEHOUSE_RUNTIMES === "1"
          ? undefined
          : "downloads five Nodes: set GATEHOUSE_RUNTIMES=1 to run it",
    },
  ],
];

/** @returns {Promise<string | undefined>} what a command that failed printed */
const runCommand = (step, [command, ...args]) =>
  new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: step.shows ? "inherit" : ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...step.env },
    });
    let printed = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text) => (printed += text));
    child.on("error", (error) => resolve(String(error)));
    child.on("close", (status) => resolve(status === 0 ? undefined : printed || `exit ${status}`));
  });

const runStep = async (step) => {
  for (const command of step.run) {
    const wrong = await runCommand(step, command);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
};

rmSync(join(root, "reports"), { recursive: true, force: true });
mkdirSync(join(root, "reports"), { recursive: true });
const failed = new Set();
const skipped = [];
const timings = [];
/** By name: kept when the step has ended. */
const ends = new Map();

const take = async (step) => {
  await ends.get(step.after);
  const started = performance.now();
  const blocked = step.after && failed.has(step.after) ? `needs "${step.after}", which failed` : undefined;
  const missing = step.cannot?.();
  const result = missing === undefined ? (blocked ?? (await runStep(step))) : { unable: missing };
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  timings.push(`${step.name} ${seconds} s`);
  if (typeof result === "object") {
    console.log(
      `${ci ? "✘" : "-"} ${step.name}: ${ci ? "CI owes it, but it cannot run" : "skipped"}: ${result.unable}`,
    );
    if (ci) failed.add(step.name);
    else skipped.push(step.name);
  } else if (result === undefined) {
    console.log(`✔ ${step.name} (${seconds} s)`);
  } else {
    failed.add(step.name);
    console.log(`✘ ${step.name} (${seconds} s)\n${result}`);
  }
};

const began = performance.now();
for (const steps of phases) {
  const waiting = [...steps];
  const lane = async () => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const ended = take(step);
      ends.set(step.name, ended);
      await ended;
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
}

const counts = { passed: 0, failed: 0, skipped: skipped.length };
for (const step of failed) if (!Object.hasOwn(reports, step)) counts.failed += 1;
for (const [step, path] of Object.entries(reports)) {
  if (!existsSync(join(root, path))) {
    if (failed.has(step)) counts.failed += 1;
    continue;
  }
  const report = JSON.parse(readFileSync(join(root, path), "utf8"));
  counts.passed += report.numPassedTests;
  // A file that does not load has no test in it that could fail; an error outside of tests has none either.
  const unloaded = report.testResults.filter(
    (f) => f.status === "failed" && f.assertionResults.length === 0,
  ).length;
  const own = report.numFailedTests + unloaded;
  counts.failed += own === 0 && failed.has(step) ? 1 : own;
  counts.skipped += report.numPendingTests + (report.numTodoTests ?? 0);
}

console.log(`\n${timings.join(", ")}; ${((performance.now() - began) / 1000).toFixed(0)} s in all`);
if (failed.size > 0) console.log(`failed: ${[...failed].join(", ")}`);
if (skipped.length > 0) console.log(`skipped: ${skipped.join(", ")}`);
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(failed.size > 0 || counts.failed > 0 ? 1 : 0);
