/** A replay for a terminal, and for a program. */
import { paint } from "../cli/paint.js";
import { printable } from "../lib/printable.js";
import { CATEGORIES, type Category, type ReplayFormat } from "./choices.js";
import type { ReplayedVerdict, ReplayFinding, ReplayReport } from "./replay.js";

export function formatReplay(report: ReplayReport, format: ReplayFormat, colour = false): string {
  return format === "json"
    ? `${JSON.stringify(report, null, 2)}\n`
    : printable(pretty(report, painter(colour)));
}

type Paint = (text: string, category: Category) => string;

const STYLES = {
  "newly admitted": "red",
  "newly refused": "blue",
  "changed code": "yellow",
  unknown: "yellow",
  same: "green",
} as const satisfies Readonly<Record<Category, string>>;

function painter(colour: boolean): Paint {
  const styled = paint(colour);
  return (text, category) => styled(STYLES[category], text);
}

function pretty(report: ReplayReport, painted: Paint): string {
  const { name, revision, decisions, counts } = report;
  const width = Math.max(...CATEGORIES.map(({ length }) => length));
  const table = CATEGORIES.map((one) => `${painted(one.padEnd(width), one)}  ${counts[one]}`);
  const head = `${count(decisions, "decision")} against \`${name}\`, revision ${revision.slice(0, 12)}`;
  return `${[head, "", ...table, ...report.findings.flatMap((one) => findingText(one, painted)), ...notes(report)].join("\n")}\n`;
}

function findingText(
  { category, served, candidate, reason, count: times, examples }: ReplayFinding,
  painted: Paint,
): string[] {
  const lines = [
    "",
    `${painted(category, category)}, ${times === 1 ? "once" : `${times} times`}: ${verdictText(served)} -> ${verdictText(candidate)}`,
  ];
  if (reason !== undefined) lines.push(`  ${reason}`);
  const told = examples.map(({ line, id, time }) => `  line ${line}: ${new Date(time).toISOString()} ${id}`);
  return [...lines, ...told];
}

function verdictText({ route, outcome, stage, code }: ReplayedVerdict): string {
  const where = route === undefined ? "" : route === null ? " (no route)" : ` (\`${route}\`)`;
  if (outcome !== "refuse") return `${outcome}${stage === undefined ? "" : ` at ${stage}`}${where}`;
  return `refuse ${code ?? ""}${code === undefined ? "" : " "}at ${stage ?? "an unknown stage"}${where}`;
}

function notes({ decisions, dropped, sampled, unreadable }: ReplayReport): string[] {
  const lines = [
    ...(decisions === 0 ? ["there is nothing to replay"] : []),
    ...(dropped > 0
      ? [`${count(dropped, "event")} were dropped before they were written, and are not judged`]
      : []),
    ...(sampled > 0 ? [`${count(sampled, "decision")} stand for more that were not written (sampling)`] : []),
    ...(unreadable > 0 ? [`${count(unreadable, "line")} could not be read`] : []),
  ];
  return lines.length === 0 ? [] : ["", ...lines];
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
