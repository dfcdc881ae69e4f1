/** A matrix for readers, spreadsheets, browsers and programs; and what was written for the first two, read back. */
import { escaped, pageOf, spans, tableOfRows } from "../lib/html.js";
import type { MatrixFormat } from "./choices.js";
import type { Cell, Matrix } from "./matrix.js";
import { cellText, tableOf } from "./text.js";

export function formatMatrix(found: Matrix, format: MatrixFormat): string {
  switch (format) {
    case "markdown":
      return markdown(found);
    case "csv":
      return csv(found);
    case "html":
      return html(found);
    case "json":
      return `${JSON.stringify(found, null, 2)}\n`;
  }
}

/** @throws Error where the text is none of that format */
export function readTable(text: string, format: MatrixFormat): readonly (readonly string[])[] {
  switch (format) {
    case "markdown":
      return readMarkdown(text);
    case "csv":
      return readCsv(text);
    case "json":
      return readJson(text);
    case "html":
      throw new Error("HTML is not read back");
  }
}

function markdown(found: Matrix): string {
  const [head = [], ...rows] = tableOf(found);
  const lines = [
    head.map((cell, index) => (index === 0 ? cell : plain(cell))),
    head.map(() => "---"),
    ...rows.map(([route = "", ...cells]) => [code(route), ...cells.map(pipes)]),
  ];
  return `${lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}\n`;
}

/** A table ends a cell at a pipe even within a code span (GFM, "Tables"). */
function pipes(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("|", "\\|");
}

function code(text: string): string {
  return `\`${pipes(text)}\``;
}

/** Names of the author's: no markup in them. */
function plain(text: string): string {
  return pipes(text).replaceAll(/[`*_<[\]#]/gu, (sign) => `\\${sign}`);
}

function readMarkdown(text: string): readonly (readonly string[])[] {
  const lines = text.split("\n").filter((line) => line.trimStart().startsWith("|"));
  const rows = lines.map((line) =>
    Array.from(
      line
        .trim()
        .slice(1)
        .matchAll(/((?:\\.|[^|\\])*)\|/gu),
      ([, cell = ""]) => cell.trim().replaceAll(/\\([^])/gu, "$1"),
    ),
  );
  const [head, rule, ...body] = rows;
  if (head === undefined || rule?.every((cell) => /^:?-+:?$/u.test(cell)) !== true)
    throw new Error("it has no table");
  return [head, ...body.map(([route = "", ...cells]) => [route.replace(/^`([^]*)`$/u, "$1"), ...cells])];
}

/** RFC 4180. A text that a spreadsheet would take for a formula is put behind an apostrophe (OWASP, "CSV Injection"). */
function csv(found: Matrix): string {
  return tableOf(found)
    .map((cells) => cells.map((cell) => `"${harmless(cell).replaceAll('"', '""')}"`).join(","))
    .map((line) => `${line}\r\n`)
    .join("");
}

function harmless(text: string): string {
  return /^[=+\-@\t\r\n|%]/u.test(text) ? `'${text}` : text;
}

function readCsv(text: string): readonly (readonly string[])[] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, bare = "", end] of text
    .replace(/^\uFEFF/u, "")
    .matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/gu)) {
    if (end === "" && row.length === 0 && quoted === undefined && bare === "") break;
    row.push((quoted?.replaceAll('""', '"') ?? bare).replace(/^'(?=[=+\-@\t\r\n|%])/u, ""));
    if (end === ",") continue;
    rows.push(row);
    row = [];
    if (end === "") break;
  }
  if (rows.length === 0) throw new Error("it has no rows");
  return rows;
}

function readJson(text: string): readonly (readonly string[])[] {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || !("callers" in value) || !("rows" in value))
    throw new Error("it is no matrix");
  return tableOf(value as Matrix);
}

const CLASSES: Readonly<Record<Cell["outcome"], string>> = {
  allow: "allow",
  refuse: "refuse",
  conditional: "if",
  observe: "observe",
  none: "none",
  varies: "if",
};

const STYLE =
  ".allow{background:#d6f5d6;color:#111}.refuse{background:#f8dcdc;color:#111}.if{background:#fff3cc;color:#111}" +
  ".observe{background:#e4d8f7;color:#111}.none{color:#777}";

function html(found: Matrix): string {
  const rows = found.rows.map(({ route, cells }) => {
    const told = cells
      .map((cell) => `<td class="${CLASSES[cell.outcome]}">${spans(cellText(cell))}</td>`)
      .join("");
    return `<tr><th scope="row">${escaped(route)}</th>${told}</tr>`;
  });
  const body = tableOfRows(["route", ...found.callers], rows);
  return pageOf({ title: `Access matrix of ${found.policy}`, style: STYLE, body });
}
