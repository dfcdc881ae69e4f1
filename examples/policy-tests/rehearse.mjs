/**
 * Runs workflow.yml without GitHub: every `run:` of it, in order and by the same shell, in a copy of this folder that is a git repository
 * with an origin/main, as a pull request would. First as it is, then with each planted change. Needs git, bash, and no network.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { PLANTED } from "./planted.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const temp = mkdtempSync(join(tmpdir(), "gatehouse-rehearsal-"));
const project = join(temp, "project");
const BASE = "main";

const steps = parse(readFileSync(join(here, "workflow.yml"), "utf8")).jobs.policy.steps.filter(
  ({ run }) => run !== undefined,
);

/** What the conditions of workflow.yml mean. One that is not here is an error: the rehearsal would not know. */
const CONDITIONS = {
  undefined: ({ failed }) => !failed,
  "${{ !cancelled() }}": () => true,
  "github.event_name == 'pull_request' && !contains(github.event.pull_request.labels.*.name, 'wider-policy')":
    ({ failed, labels }) => !failed && !labels.includes("wider-policy"),
};

/** Which files a step reads: one that has seen the same files already says the same again. */
const READS = {
  check: ["gatehouse.policy.jsonc"],
  test: ["gatehouse.policy.jsonc", "desk.policy-test.json"],
  invariants: ["gatehouse.policy.jsonc", "desk.test.mjs"],
  matrix: ["gatehouse.policy.jsonc", "access.md"],
  audit: ["gatehouse.policy.jsonc", "accepted.json"],
  diff: ["gatehouse.policy.jsonc"],
  mutation: ["gatehouse.policy.jsonc", "desk.policy-test.json"],
};
const known = new Map();

function bash(script, env = {}) {
  // As GitHub does for `shell: bash`.
  const args = ["--noprofile", "--norc", "-eo", "pipefail", "-c", script];
  const { status, stdout, stderr, error } = spawnSync("bash", args, {
    cwd: project,
    encoding: "utf8",
    env: {
      PATH: [join(temp, "bin"), process.env.PATH].join(delimiter),
      HOME: temp,
      TMPDIR: tmpdir(),
      GITHUB_BASE_REF: BASE,
      ...env,
    },
  });
  if (error !== undefined) throw error;
  return { status, output: stdout + stderr };
}

/** For what has to go well. */
function must(script) {
  const { status, output } = bash(script);
  if (status !== 0) throw new Error(`${script}\n${output}`);
  return output;
}

function run({ name, run: script }) {
  // There is nothing to fetch: the packages are those of this repository.
  if (script === "npm ci") return { status: 0, output: "" };
  const read = READS[name];
  if (read === undefined) return bash(script);
  const files = read.map((path) => readFileSync(join(project, path), "utf8"));
  const key = createHash("sha256")
    .update(JSON.stringify([script, files]))
    .digest("hex");
  const told = known.get(key) ?? bash(script);
  known.set(key, told);
  return told;
}

const day = (fromToday) => new Date(Date.now() + fromToday * 86_400_000).toISOString().slice(0, 10);

/** The folder as it is, with acceptances that end as far from one another as they do, the first a month from today. */
function layOut() {
  rmSync(project, { recursive: true, force: true });
  cpSync(here, project, {
    recursive: true,
    filter: (path) => !/[\\/](?:node_modules|reports)$/u.test(path),
  });
  const path = join(project, "accepted.json");
  const baseline = JSON.parse(readFileSync(path, "utf8"));
  const ends = baseline.accepted.map(({ expires }) => Date.parse(expires) / 86_400_000);
  for (const [index, one] of baseline.accepted.entries())
    one.expires = day(30 + ends[index] - Math.min(...ends));
  writeFileSync(path, JSON.stringify(baseline, null, 2));
  // Whoever runs this may be in a repository, and may sign commits.
  must(`git init -q -b ${BASE} && git add -A &&
    git -c user.name=rehearsal -c user.email=rehearsal@example.com -c commit.gpgsign=false commit -q -m "as it is" &&
    git update-ref refs/remotes/origin/${BASE} HEAD && git switch -q -c change`);
  symlinkSync(installed(), join(project, "node_modules"));
}

/** Where the packages are. */
function installed() {
  for (let folder = here; folder !== dirname(folder); folder = dirname(folder))
    if (existsSync(join(folder, "node_modules/gatehouse/package.json"))) return join(folder, "node_modules");
  throw new Error("gatehouse is not installed");
}

const hands = {
  day,
  /** Every change changes something, or the row would prove nothing. */
  edit(path, from, to) {
    const text = readFileSync(join(project, path), "utf8");
    const changed = text.replace(from, to);
    if (changed === text) throw new Error(`${path} has no ${from}`);
    writeFileSync(join(project, path), changed);
  },
  review: () => must("npx gatehouse matrix > access.md"),
};

/** @returns what is wrong, in words */
function rehearse({ name, change, stops, says, labels = [] }) {
  rmSync(join(project, "reports"), { recursive: true, force: true });
  must("git checkout -q -- .");
  change(hands);
  let failed;
  for (const step of steps) {
    const condition = CONDITIONS[step.if];
    if (condition === undefined) throw new Error(`the rehearsal does not know \`if: ${step.if}\``);
    if (!condition({ failed: failed !== undefined, labels })) continue;
    // The reports do not change what fails. They are looked at once with a policy that is served, and once with one that is not.
    if (step.name === "reports" && stops !== undefined && stops !== "check") continue;
    const { status, output } = run(step);
    if (status !== 0) failed ??= { step: step.name, status, output };
  }
  if (failed?.step !== stops)
    return `${name}: stopped by ${failed?.step ?? "nothing"}, not by ${stops ?? "nothing"}\n${failed?.output ?? ""}`;
  if (failed !== undefined && !failed.output.includes(says))
    return `${name}: ${stops} does not say \`${says}\`\n${failed.output}`;
  if (stops === undefined || stops === "check") return reports(name, stops);
  return undefined;
}

/** What the workflow uploads. */
function reports(name, stops) {
  const results = (file) => {
    const path = join(project, "reports/sarif", file);
    return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).runs[0].results.length : undefined;
  };
  const found = {
    check: results("check.sarif"),
    audit: results("audit.sarif"),
    junit: existsSync(join(project, "reports/policy-tests.xml")),
  };
  const wanted =
    stops === undefined ? { check: 0, audit: 3, junit: true } : { check: 1, audit: undefined, junit: false };
  if (JSON.stringify(found) === JSON.stringify(wanted)) return undefined;
  return `${name}: of reports there are ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`;
}

const wrong = [];
try {
  mkdirSync(join(temp, "bin"));
  // npx would take as long as the command itself, and where the packages were built after `npm ci` it does not know the command.
  const npx = join(temp, "bin/npx");
  writeFileSync(npx, '#!/bin/sh\nshift\nexec node node_modules/gatehouse/dist/bin.js "$@"\n');
  chmodSync(npx, 0o755);
  layOut();
  for (const row of PLANTED) {
    const difference = rehearse(row);
    if (difference === undefined) console.log(`✔ ${row.stops ?? "passes"}: ${row.name}`);
    else wrong.push(difference);
  }
} finally {
  if (process.env.GATEHOUSE_KEEP === "1") console.log(`kept: ${temp}`);
  else rmSync(temp, { recursive: true, force: true });
}
if (wrong.length > 0) {
  console.error(wrong.join("\n\n"));
  process.exit(1);
}
