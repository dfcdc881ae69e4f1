/** Coverage for a reader: a table of kinds, and every point that no test reaches, with its place. */
import { paint } from "../cli/paint.js";
import { printable } from "../lib/printable.js";
import type { PolicyCoverage, UncoveredPoint } from "./coverage.js";

export function formatCoverage(
  found: readonly PolicyCoverage[],
  { colour = false }: { readonly colour?: boolean } = {},
): string {
  const style = paint(colour);
  return found
    .map((coverage) => {
      const { policy, covered, total, percent, kinds, uncovered } = coverage;
      const widest = Math.max(...kinds.map(({ kind }) => kind.length));
      const head = `${style("bold", "coverage")} of ${printable(policy)}: ${style(covered === total ? "green" : "yellow", `${percent} %`)}, ${covered} of ${total} points`;
      const table = kinds.map(({ kind, covered, total }) => {
        const line = `  ${kind.padEnd(widest)}  ${String(covered).padStart(4)} of ${String(total).padStart(4)}`;
        return covered === total ? line : style("yellow", line);
      });
      const missing =
        uncovered.length === 0
          ? []
          : ["", "not reached:", ...uncovered.map((point) => `  ${lineOf(point, policy)}`)];
      return [head, ...table, ...missing, ""].join("\n");
    })
    .join("\n");
}

function lineOf({ kind, pointer, outcome, part, line, column }: UncoveredPoint, policy: string): string {
  const place = line === undefined ? "" : `${policy}:${line}:${column ?? 1}  `;
  const what = part === undefined ? outcome : `\`${part}\` ${outcome}`;
  return printable(`${place}${kind}: ${pointer === "" ? "the document" : pointer}  ${what}`);
}
