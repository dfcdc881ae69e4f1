// What a start costs, each in a fresh process: time until the first request could be decided, and memory.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { median } from "../lib/compare.mjs";
import { atLeast, atMost, fraction } from "../lib/target.mjs";

export const title = "Start-up and memory";

const ROUNDS = 9;
const ROUTES = [10, 100, 1000, 5000];
const CHILD = fileURLToPath(new URL("../lib/startup-child.mjs", import.meta.url));
const run1 = promisify(execFile);

async function start(what, count) {
  const { stdout } = await run1(process.execPath, ["--expose-gc", CHILD, what, String(count)]);
  return JSON.parse(stdout);
}

/** Each of them once a round; keyed by their names. */
async function inRounds(starts, rounds) {
  const seen = new Map(starts.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, what, count } of starts) seen.get(name)?.push(await start(what, count));
  }
  return seen;
}

const figure = (samples, member) => median(samples.map((one) => one[member]));
const ratio = (samples, others, member) =>
  median(samples.map((one, round) => one[member] / others[round][member]));
const more = (samples, others, member) =>
  median(samples.map((one, round) => one[member] - others[round][member]));

export async function run({ short }) {
  const [rounds, schemas, rules] = short ? [1, 20, 20] : [ROUNDS, 1000, 200];
  const sizes = short ? ROUTES.slice(0, 2) : ROUTES;
  const seen = await inRounds(
    [
      { name: "nothing", what: "bare", count: 0 },
      { name: "Gatehouse, import alone", what: "import", count: 0 },
      { name: `Gatehouse, ${rules} rules`, what: "rules", count: rules },
      { name: "ajv, 1 schema", what: "ajv", count: 1 },
      { name: `Gatehouse, ${schemas} body schemas`, what: "schemas", count: schemas },
      { name: `ajv, ${schemas} schemas`, what: "ajv", count: schemas },
    ],
    rounds,
  );
  const growth = await inRounds(
    sizes.map((count) => ({ name: String(count), what: "routes", count })),
    short ? 1 : 3,
  );
  const html = await start("html", 1);
  const of = (name) => seen.get(name);
  const [ruled, one] = [of(`Gatehouse, ${rules} rules`), of("ajv, 1 schema")];
  const [lazy, eager] = [of(`Gatehouse, ${schemas} body schemas`), of(`ajv, ${schemas} schemas`)];
  const dom = [...seen.values(), ...growth.values()].flat().some((sample) => sample.dom);
  const row = ([name, samples]) => [
    name,
    figure(samples, "cpuMs").toFixed(1),
    figure(samples, "ms").toFixed(1),
    figure(samples, "rssMb").toFixed(1),
    figure(samples, "heapMb").toFixed(1),
  ];
  const megabytes = (value) => `${value.toFixed(1)} MB`;
  return {
    tables: [
      {
        caption: "Import and compile, in a fresh process",
        columns: ["what", "CPU ms", "ms", "RSS MB", "heap MB"],
        rows: [...seen].map(row),
      },
      {
        caption: "Import and a policy of open routes",
        columns: ["routes", "CPU ms", "ms", "RSS MB", "heap MB"],
        rows: [...growth].map(row),
      },
    ],
    targets: [
      atLeast("10", `${schemas} body schemas, against ajv compiling all`, 8, ratio(eager, lazy, "cpuMs")),
      atMost(
        "10",
        `import and a policy of ${rules} rules, against ajv's import and one schema`,
        1 / 2,
        ratio(ruled, one, "cpuMs"),
        fraction,
      ),
      atMost(
        "10",
        `resident memory over that of ajv with one schema, ${rules} rules`,
        8,
        more(ruled, one, "rssMb"),
        megabytes,
      ),
    ],
    notes: [
      `The first decision of a process (a new token, a role) takes ${figure(ruled, "firstMs").toFixed(1)} ms of CPU, the second ${figure(ruled, "nextMs").toFixed(1)} ms.`,
      `Schemas are compiled at first use: the first body takes ${figure(lazy, "firstMs").toFixed(1)} ms of CPU, the first of another route ${figure(lazy, "nextMs").toFixed(1)} ms.`,
      `The revision, a hash of the whole document, is worked out at the start where somebody listens to events, and else when it is asked for. Here nobody listens: with ${schemas} schemas it would take another ${figure(lazy, "revisionMs").toFixed(0)} ms.`,
      `No DOM is loaded in any of these starts; a policy that sanitizes HTML loads one: ${figure([html], "cpuMs").toFixed(0)} ms and ${figure([html], "rssMb").toFixed(0)} MB.`,
    ],
    curves: [
      {
        title: "Start-up by number of routes",
        x: "routes",
        y: "CPU ms",
        series: [
          {
            name: "Gatehouse",
            points: [...growth].map(([count, samples]) => [Number(count), figure(samples, "cpuMs")]),
          },
        ],
      },
    ],
    failed: [
      ...(dom ? ["a DOM was loaded by a policy that needs none"] : []),
      ...(html.dom ? [] : ["a policy that sanitizes HTML loaded no DOM: the check for one sees nothing"]),
    ],
  };
}
