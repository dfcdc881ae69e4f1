// `npm run bench`: the project beside its peers on the same work. `--short` only proves that every part works: its times
// mean nothing. `--only <name>` (several with commas) runs some suites. Results are written to `results`.
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { printedSuite, printedTargets, writeReport } from "./lib/report.mjs";
import { runSuite, suiteNames } from "./lib/suites.mjs";
import { machine, versions } from "./lib/versions.mjs";

const { values } = parseArgs({ options: { short: { type: "boolean" }, only: { type: "string" } } });
const short = values.short === true;
const names = suiteNames();
const wanted = values.only?.split(",") ?? names;
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`no suite is called ${unknown.join(", ")}: there are ${names.join(", ")}`);
  process.exit(2);
}

const about = { machine: machine(), versions: versions(), short };
const { node, cores, cpu } = about.machine;
console.log(`Node ${node}, ${cores} cores, ${cpu}`);
console.log(
  Object.entries(about.versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(", "),
);

const suites = [];
const started = performance.now();
const waiting = [...wanted];
// Alone where times are taken; where they mean nothing, as many at once as there are cores.
await Promise.all(Array.from({ length: short ? cores : 1 }, work));
suites.sort((a, b) => wanted.indexOf(a.name) - wanted.indexOf(b.name));

async function work() {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    const from = performance.now();
    const suite = await runSuite(name, { short });
    suites.push({ ...suite, seconds: (performance.now() - from) / 1000 });
    console.log(printedSuite(suite));
  }
}

const seconds = (performance.now() - started) / 1000;
const folder = fileURLToPath(new URL("results", import.meta.url));
writeReport(folder, suites, { ...about, seconds });
console.log(`\n== Targets\n\n${printedTargets(suites, about)}`);
if (short) console.log("\nA short run: no figure in it means anything.");
const spent = suites.map(({ name, seconds }) => `${name} ${seconds.toFixed(1)} s`);
console.log(`\n${seconds.toFixed(0)} s: ${spent.join(", ")}. Written to ${folder}`);
if (suites.some(({ failed = [] }) => failed.length > 0)) process.exitCode = 1;
