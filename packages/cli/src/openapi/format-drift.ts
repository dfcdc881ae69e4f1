/** What differs, for readers. */
import { paint } from "../cli/paint.js";
import { printable } from "../lib/printable.js";
import type { Drift, DriftReport } from "./drift.js";

const COLOURS = { stricter: "blue", looser: "red", unknown: "yellow" } as const;

export function formatDrift({ drifts, notCompared }: DriftReport, file: string, colour = false): string {
  const dye = paint(colour);
  const byRoute = new Map<string, Drift[]>();
  for (const drift of drifts) byRoute.set(drift.route, [...(byRoute.get(drift.route) ?? []), drift]);
  const routes = [...byRoute].map(
    ([route, own]) =>
      `${printable(route)}\n${own.map(({ direction, aspect, message }) => `  ${dye(COLOURS[direction], direction)} ${aspect}: ${printable(message)}\n`).join("")}`,
  );
  const rest = notCompared.map(
    ({ message, source }) => `  ${printable(message)}\n    ${printable(source)}\n`,
  );
  const count = (direction: Drift["direction"]): number =>
    drifts.filter((one) => one.direction === direction).length;
  const sum =
    drifts.length === 0
      ? `${printable(file)} is what the policy enforces\n`
      : `${drifts.length} ${drifts.length === 1 ? "difference" : "differences"} from ${printable(file)}: the policy is stricter in ${count("stricter")}, looser in ${count("looser")}, and ${count("unknown")} cannot be told\n`;
  return [...routes, ...(rest.length > 0 ? [`not compared:\n${rest.join("")}`] : []), sum].join("\n");
}
