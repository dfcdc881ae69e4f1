/** Diagnostics for a reader at a terminal: what is wrong, the place in the text, the mend. */
import type { Diagnostic } from "@gatehouse/core";
import { paint, type Paint } from "../cli/paint.js";
import { printable } from "../lib/printable.js";
import { countsOf, describeCounts, type CheckedText } from "./check.js";
import { excerptOf } from "./excerpt.js";
import { maskSecrets } from "./mask.js";

export interface PrettyOptions {
  /** Escape sequences for a terminal. Default false. */
  readonly colour?: boolean;
}

export function formatPretty(
  checked: readonly CheckedText[],
  { colour = false }: PrettyOptions = {},
): string {
  const style = paint(colour);
  const blocks = checked.flatMap((one) => {
    const shown = maskSecrets(one.text, one.diagnostics);
    return one.diagnostics.map((diagnostic) => block(diagnostic, one.file, shown, style));
  });
  return [...blocks, summary(checked, style)].join("\n");
}

function block(diagnostic: Diagnostic, file: string, text: string, style: Paint): string {
  const { severity, code, message, help, pointer, line, column = 1 } = diagnostic;
  const number = line === undefined ? "" : String(line);
  const gutter = " ".repeat(number.length);
  const bar = style("blue", `${gutter} |`);
  const head = `${style(severity === "error" ? "red" : "yellow", `${severity}[${code}]`)}: ${style("bold", printable(message))}`;
  const place = line === undefined ? file : `${file}:${line}:${column}`;
  const excerpt = line === undefined ? undefined : excerptOf(text, line, column);
  return [
    head,
    `${style("blue", `${gutter}-->`)} ${printable(place)}`,
    ...(excerpt === undefined
      ? []
      : [
          bar,
          `${style("blue", `${number} |`)} ${printable(excerpt.line)}`,
          `${bar} ${style(severity === "error" ? "red" : "yellow", excerpt.carets)}`,
        ]),
    `${gutter} = at ${pointer === "" ? "the document" : printable(pointer)}`,
    ...(help === undefined ? [] : [`${gutter} = help: ${printable(help)}`]),
    "",
  ].join("\n");
}

function summary(checked: readonly CheckedText[], style: Paint): string {
  const where = checked.length === 1 ? (checked[0]?.file ?? "") : `${checked.length} policies`;
  const counts = countsOf(checked);
  const found = describeCounts(counts);
  if (found === undefined) return `${style("green", "no problem")} in ${printable(where)}\n`;
  return `${style(counts.errors > 0 ? "red" : "yellow", found)} in ${printable(where)}\n`;
}
