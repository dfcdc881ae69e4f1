/** A report for readers, programs and code scanning. */
import { paint, type Paint } from "../cli/paint.js";
import { printable } from "../lib/printable.js";
import { sarifOf } from "../lib/sarif.js";
import { version } from "../lib/version.js";
import type { ProbeFormat } from "./choices.js";
import { KINDS, type Disagreement, type Kind, type ProbeReport } from "./finding.js";

/** @param file of the policy: what code scanning points into */
export function formatProbe(report: ProbeReport, format: ProbeFormat, file: string, colour = false): string {
  switch (format) {
    case "pretty":
      return pretty(report, paint(colour));
    case "json":
      return `${JSON.stringify(report, null, 2)}\n`;
    case "sarif":
      return sarif(report, file);
  }
}

const COLOURS = { error: "red", warning: "yellow", note: "blue" } as const;

function pretty(report: ProbeReport, style: Paint): string {
  const lines = [
    ...shownOf(report.disagreements).flatMap((one) =>
      typeof one === "string" ? [one, ""] : [...entry(one, style), ""],
    ),
    ...report.notes.map((note) => `note: ${note}`),
    ...report.barred.map(
      ({ how, count, example }) =>
        `refused before the policy (${count}): the connection, ${how}${count === 1 ? ` (${example})` : `, such as ${example}`}`,
    ),
    ...report.notAsked.map(
      ({ why, count, example }) =>
        `not asked (${count}): ${why}${count === 1 ? ` (${example})` : `, such as ${example}`}`,
    ),
    ...untriedLines(report),
    summary(report),
  ];
  // What is painted is ours; what comes from a policy or a server was made printable before.
  return `${lines.join("\n")}\n`;
}

/** One line a reason, however many routes: that nothing differs says nothing of what was never sent. */
function untriedLines({ untried }: ProbeReport): readonly string[] {
  const routes = new Map<string, string[]>();
  for (const { route, why } of untried) {
    const reason = why.join("; ");
    routes.set(reason, [...(routes.get(reason) ?? []), `\`${route}\``]);
  }
  return [...routes].map(([why, keys]) =>
    printable(`not tried: whether callers whom the policy admits are served by ${keys.join(", ")}: ${why}`),
  );
}

/** A server without a guard differs in everything: more than so many of a kind tell a reader nothing new. */
const MOST = 20;

function shownOf(all: readonly Disagreement[]): readonly (Disagreement | string)[] {
  return (Object.keys(KINDS) as Kind[]).flatMap((kind) => {
    const own = all.filter((one) => one.kind === kind);
    const more = own.length - MOST;
    return more <= 0 ? own : [...own.slice(0, MOST), `${more} more of \`${kind}\`: \`--json\` has all`];
  });
}

function entry(one: Disagreement, style: Paint): readonly string[] {
  const { kind, message, about, route, pointer, expected, got, request, count } = one;
  const [line = "", ...fields] = request.split("\n");
  return [
    `${style(COLOURS[KINDS[kind].level], `${KINDS[kind].level}[${kind}]`)}: ${style("bold", printable(message))}`,
    `  --> ${printable(route ?? "no route")}: ${printable(about)}`,
    ...(pointer === "" ? [] : [`  = at ${printable(pointer)}`]),
    `  = policy: ${printable(expected)}; server: ${printable(got)}${count === 1 ? "" : `; in ${count} answers`}`,
    `  | ${printable(line)}`,
    ...fields.map((field) => `  | ${printable(field)}`),
  ];
}

function summary({ disagreements, asked, requests, url, policy }: ProbeReport): string {
  const count = disagreements.length;
  const found = count === 0 ? "no disagreement" : count === 1 ? "1 disagreement" : `${count} disagreements`;
  return printable(
    `${found} between ${url} and the policy \`${policy}\`: ${asked} questions, ${requests} requests`,
  );
}

function sarif({ disagreements }: ProbeReport, file: string): string {
  const kinds = new Set(disagreements.map(({ kind }) => kind));
  const rules = (Object.keys(KINDS) as Kind[])
    .filter((kind) => kinds.has(kind))
    .map((kind) => ({ id: kind, text: KINDS[kind].about, tags: ["security"] }));
  const findings = disagreements.map(({ kind, message, about, route, pointer, expected, got }) => ({
    ruleId: kind,
    level: KINDS[kind].level,
    message: printable(`${route ?? "no route"}: ${about}: ${message} (policy: ${expected}; server: ${got})`),
    file,
    pointer,
  }));
  return sarifOf(version(), rules, findings);
}
