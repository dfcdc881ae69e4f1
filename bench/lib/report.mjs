// What a run leaves behind: Markdown to read, JSON to compare, charts to look at.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { barChart, lineChart } from "./chart.mjs";
import { markdownTable, plainTable } from "./table.mjs";

const columns = ["target", "claim", "to reach", "measured", "reached"];

/** Targets of all suites, in the order of their numbers. A short run measures nothing, so that it reaches nothing. */
export function targetRows(suites, { short }) {
  const targets = suites.flatMap((suite) => suite.targets);
  return targets
    .toSorted((a, b) => a.id.localeCompare(b.id, "en", { numeric: true }))
    .map(({ id, claim, reach, measured, reached }) => [
      id,
      claim,
      reach,
      measured,
      short ? "-" : reached ? "yes" : "NO",
    ]);
}

export const printedTargets = (suites, about) => plainTable(columns, targetRows(suites, about));

export function printedSuite({ title, tables, notes, failed = [] }) {
  const parts = tables.map(({ caption, columns, rows }) => `${caption}\n${plainTable(columns, rows)}`);
  const said = [...notes.map((note) => `- ${note}`), ...failed.map((failure) => `✘ ${failure}`)];
  return [`\n== ${title}`, ...parts, ...(said.length > 0 ? [said.join("\n")] : [])].join("\n\n");
}

/** @param about `{ machine, versions, short, seconds }` */
export function writeReport(folder, suites, about) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const charts = new Map();
  for (const suite of suites) charts.set(suite.name, writeCharts(folder, suite));
  writeFileSync(join(folder, "results.md"), markdown(suites, charts, about));
  writeFileSync(join(folder, "results.json"), `${JSON.stringify({ ...about, suites }, null, 2)}\n`);
}

function writeCharts(folder, { name, bars = [], curves = [] }) {
  const drawn = [
    ...bars.map((bar) => [bar, barChart(bar)]),
    ...curves.map((curve) => [curve, lineChart(curve)]),
  ];
  return drawn.map(([{ title }, svg], index) => {
    const file = `${name}-${index + 1}.svg`;
    writeFileSync(join(folder, file), svg);
    return { title, file };
  });
}

function markdown(suites, charts, { machine, versions, short, seconds }) {
  const { node, cores, cpu, memory, system } = machine;
  const lines = [
    "# Benchmarks: the results of one run",
    `Node ${node} on ${cores} cores (${cpu}), ${memory}, ${system}; ${Math.round(seconds)} s in all.`,
    ...(short ? ["**A short run: it shows that everything works. No figure in it means anything.**"] : []),
    "Every ratio was taken inside one round, with both sides next to each other, and is the median of the rounds. Absolute times are for orientation.",
    "## Targets",
    markdownTable(columns, targetRows(suites, { short })),
  ];
  for (const suite of suites) lines.push(...suiteLines(suite, charts.get(suite.name)));
  lines.push("## Versions", markdownTable(["package", "version"], Object.entries(versions)));
  return `${lines.join("\n\n")}\n`;
}

function suiteLines({ title, tables, notes, failed = [] }, charts) {
  return [
    `## ${title}`,
    ...tables.flatMap(({ caption, columns, rows }) => [`${caption}:`, markdownTable(columns, rows)]),
    ...charts.map(({ title, file }) => `![${title}](${file})`),
    ...(notes.length > 0 ? [notes.map((note) => `- ${note}`).join("\n")] : []),
    ...failed.map((failure) => `**Failed**: ${failure}`),
  ];
}
