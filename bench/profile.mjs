// `npm run profile -- express get`: where a guarded server's processor time goes, by package and by function.
// `--layers headers,jwt` takes some layers alone; `--side stack` or `bare` looks at the others. The profile itself is
// written to `results`, for the developer tools of a browser.
import { mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { serverPark } from "./lib/server-child.mjs";
import { LAYERS, requestsBy } from "./lib/server-requests.mjs";
import { plainTable } from "./lib/table.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    side: { type: "string", default: "gatehouse" },
    layers: { type: "string", default: LAYERS.join() },
    count: { type: "string", default: "40000" },
  },
});
const [framework = "express", method = "get"] = positionals;
const { side, layers, count } = values;
const folder = fileURLToPath(new URL("results/profile", import.meta.url));
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

const flags = ["--cpu-prof", "--cpu-prof-interval", "200", `--cpu-prof-dir=${folder}`];
const park = serverPark({ flags });
const options = { framework, side, layers: layers.split(","), limit: 1e9, prepared: true };
const server = await park.start(options);
const work = requestsBy(64)[method];
await server.burst(work, 8000);
const { cpu } = await server.burst(work, Number(count));
await server.stop();

const file = join(folder, readdirSync(folder)[0]);
const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, "utf8"));
const byId = new Map(nodes.map((node) => [node.id, node]));
const self = new Map();
const skipped = samples.length / 5;
let busy = 0;
// The first fifth is start-up and cold code.
samples.forEach((id, index) => {
  if (index < skipped) return;
  const { callFrame } = byId.get(id);
  if (callFrame.functionName === "(idle)") return;
  busy += timeDeltas[index];
  self.set(callFrame, (self.get(callFrame) ?? 0) + timeDeltas[index]);
});

const share = (spent) => `${((100 * spent) / busy).toFixed(1)} %`;
const each = (spent) => ((cpu * spent) / busy).toFixed(2);
console.log(
  `${side} on ${framework}, ${method}: ${cpu.toFixed(1)} µs of processor time a request (profiled)\n`,
);
print(
  "package",
  grouped(({ url, functionName }) => packageOf(url) ?? `native: ${functionName}`),
  30,
);
print("function", grouped(placeOf), 70);
console.log(`written to ${file}`);

function grouped(keyOf) {
  const sums = new Map();
  for (const [frame, spent] of self) {
    const key = keyOf(frame);
    sums.set(key, (sums.get(key) ?? 0) + spent);
  }
  return [...sums].sort(([, a], [, b]) => b - a);
}

function print(what, sums, most) {
  const rows = sums.slice(0, most).map(([key, spent]) => [key, each(spent), share(spent)]);
  console.log(`${plainTable([what, "µs, self", "share"], rows)}\n`);
}

function packageOf(url) {
  if (url === "") return undefined;
  if (url.startsWith("node:")) return url.split("/")[0];
  const inModules = url.lastIndexOf("/node_modules/");
  if (inModules !== -1) return /^(@[^/]+\/)?[^/]+/.exec(url.slice(inModules + "/node_modules/".length))[0];
  return /\/(packages\/[^/]+|bench)\//.exec(url)?.[1] ?? url;
}

function placeOf({ url, functionName, lineNumber }) {
  const place = url === "" ? "" : ` ${packageOf(url)} ${url.split("/").at(-1)}:${lineNumber + 1}`;
  return `${functionName || "(anonymous)"}${place}`;
}
