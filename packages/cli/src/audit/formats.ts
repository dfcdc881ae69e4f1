/** Findings for readers, pages, programs and code scanning. */
import { paint, type Paint } from "../cli/paint.js";
import { escaped, pageOf, spans, tableOfRows } from "../lib/html.js";
import { printable } from "../lib/printable.js";
import { sarifOf } from "../lib/sarif.js";
import { version } from "../lib/version.js";
import { AUDIT_RULES } from "./audit.js";
import type { Baselined, Judged } from "./baseline.js";
import { SEVERITIES, type AuditFormat, type Severity } from "./choices.js";
import type { Finding } from "./finding.js";

export function formatAudit(found: Baselined, format: AuditFormat, file: string, colour = false): string {
  switch (format) {
    case "pretty":
      return pretty(found, file, paint(colour));
    case "json":
      return `${JSON.stringify({ file, ...found, judged: undefined, findings: found.judged.map(({ finding, accepted }) => ({ ...finding, ...(accepted === undefined ? {} : { accepted }) })) }, null, 2)}\n`;
    case "markdown":
      return markdown(found, file);
    case "html":
      return html(found, file);
    case "sarif":
      return sarif(found, file);
  }
}

const COLOURS: Readonly<Record<Severity, "red" | "yellow" | "blue" | "dim">> = {
  high: "red",
  medium: "yellow",
  low: "blue",
  info: "dim",
};

function pretty(found: Baselined, file: string, style: Paint): string {
  const { judged } = found;
  const open = judged.filter(({ accepted }) => accepted === undefined);
  return printableLines([
    ...open.flatMap(({ finding }) => [
      `${style(COLOURS[finding.severity], `${finding.severity}[${finding.rule}]`)}: ${style("bold", printable(finding.message))}`,
      `  --> ${printable(placeOf(finding, file))}`,
      `  = at ${finding.pointer === "" ? "the document" : printable(finding.pointer)}`,
      `  = mend: ${finding.mend}`,
      `  = ${idsOf(finding)}`,
      "",
    ]),
    ...remarks(found).map(printable),
    `${summary(judged)} in ${printable(file)}`,
  ]);
}

function printableLines(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}

function summary(judged: readonly Judged[]): string {
  const open = judged.filter(({ accepted }) => accepted === undefined);
  const counts = SEVERITIES.map(
    (severity) => [severity, open.filter(({ finding }) => finding.severity === severity).length] as const,
  );
  const told = counts.filter(([, count]) => count > 0).map(([severity, count]) => `${count} ${severity}`);
  const accepted = judged.length - open.length;
  return [
    told.length === 0 ? "nothing found" : told.join(", "),
    ...(accepted === 0 ? [] : [`${accepted} accepted`]),
  ].join(", ");
}

function placeOf({ line, column }: Finding, file: string): string {
  return line === undefined ? file : `${file}:${line}:${column ?? 1}`;
}

/** Ids as their projects write them, with the version in front or behind. */
function idsOf({ owasp, asvs }: Finding): string {
  const api = `OWASP ${owasp.map((id) => `${id}:2023`).join(", ")}`;
  return asvs.length === 0 ? api : `${api}; ASVS ${asvs.map((id) => `v5.0.0-${id}`).join(", ")}`;
}

const HEAD = ["severity", "rule", "place", "finding", "mend", "requirements"];

/** One row a finding, in the order of `HEAD`; code between backticks. */
function cellsOf({ finding, accepted }: Judged, file: string): readonly string[] {
  return [
    accepted === undefined ? finding.severity : `accepted until ${accepted.expires}: ${accepted.reason}`,
    `\`${finding.rule}\``,
    `${placeOf(finding, file)} \`${finding.pointer}\``,
    finding.message,
    finding.mend,
    idsOf(finding),
  ];
}

/** Of the baseline: what reviewers must look at again. */
function remarks({ expired, stale }: Baselined): readonly string[] {
  return [
    ...expired.map(
      (one) => `expired on ${one.expires}: ${one.rule} at ${one.pointer} was accepted because: ${one.reason}`,
    ),
    ...stale.map((one) => `accepted and no longer found: ${one.rule} at ${one.pointer}`),
  ];
}

function markdown(found: Baselined, file: string): string {
  const plain = (text: string): string =>
    text.replaceAll("\\", "\\\\").replaceAll("|", "\\|").replaceAll("<", "&lt;");
  const rows = found.judged.map((one) => cellsOf(one, file).map(plain));
  const lines = [HEAD, HEAD.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  const list = remarks(found).map((remark) => `- ${plain(remark)}\n`);
  return `${lines.join("\n")}\n\n${summary(found.judged)}\n${list.length === 0 ? "" : `\n${list.join("")}`}`;
}

const STYLE =
  ".high{background:#f8dcdc;color:#111}.medium{background:#fff3cc;color:#111}.low{background:#dbeafe;color:#111}.accepted{color:#777}";

function html(found: Baselined, file: string): string {
  const rows = found.judged.map((one) => {
    const kind = one.accepted === undefined ? one.finding.severity : "accepted";
    const cells = cellsOf(one, file).map((cell) => `<td>${spans(cell)}</td>`);
    return `<tr class="${kind}">${cells.join("")}</tr>`;
  });
  const list = remarks(found).map((remark) => `<li>${escaped(remark)}</li>`);
  const body = [
    `<p>${escaped(summary(found.judged))}</p>`,
    ...(list.length === 0 ? [] : ["<ul>", ...list, "</ul>"]),
    ...(rows.length === 0 ? [] : tableOfRows(HEAD, rows)),
  ];
  return pageOf({ title: `Audit of ${file}`, style: STYLE, body });
}

const LEVELS: Readonly<Record<Severity, "error" | "warning" | "note">> = {
  high: "error",
  medium: "warning",
  low: "note",
  info: "note",
};

function sarif({ judged }: Baselined, file: string): string {
  const ids = new Set(judged.map(({ finding }) => finding.rule));
  const rules = AUDIT_RULES.filter(({ id }) => ids.has(id)).map(({ id, about, mend, owasp, asvs }) => ({
    id,
    text: about,
    help: mend,
    tags: [
      "security",
      ...owasp.map((one) => `owasp-${one}:2023`),
      ...asvs.map((one) => `asvs-v5.0.0-${one}`),
    ],
  }));
  const findings = judged.map(({ finding, accepted }) => ({
    ruleId: finding.rule,
    level: LEVELS[finding.severity],
    message: `${finding.message}; ${finding.mend}`,
    file,
    pointer: finding.pointer,
    line: finding.line,
    column: finding.column,
    ...(accepted === undefined ? {} : { suppressed: `${accepted.reason} (until ${accepted.expires})` }),
  }));
  return sarifOf(version(), rules, findings);
}
