// Tables for the terminal and for Markdown, in which figures stand at the right.

const isFigure = (cell) => /^[-−<>≤≥=~]*\s*[\d.,/]+/.test(cell);

/** Every cell is as wide as its column, so that the text reads well as it is and the formatter has nothing to add. */
export function markdownTable(columns, rows) {
  const cells = [columns, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const right = columns.map((_, at) => at > 0 && rows.length > 0 && rows.every((row) => isFigure(row[at])));
  const widths = columns.map((_, at) => Math.max(3, ...cells.map((row) => [...row[at]].length)));
  const line = (row) => `| ${row.map((cell, at) => pad(cell, widths[at], right[at])).join(" | ")} |`;
  const rule = widths.map((width, at) => (right[at] ? `${"-".repeat(width - 1)}:` : "-".repeat(width)));
  return [line(cells[0]), `| ${rule.join(" | ")} |`, ...cells.slice(1).map(line)].join("\n");
}

export function plainTable(columns, rows) {
  const all = [columns, ...rows];
  const right = columns.map((_, at) => at > 0 && rows.length > 0 && rows.every((row) => isFigure(row[at])));
  const widths = columns.map((_, at) => Math.max(...all.map((row) => [...row[at]].length)));
  const line = (row) => `  ${row.map((cell, at) => pad(cell, widths[at], right[at])).join("  ")}`.trimEnd();
  return [line(columns), `  ${widths.map((width) => "-".repeat(width)).join("  ")}`, ...rows.map(line)].join(
    "\n",
  );
}

function pad(cell, width, right) {
  const space = " ".repeat(Math.max(0, width - [...cell].length));
  return right ? space + cell : cell + space;
}
