/** A cell in words, the same in every format. */
import type { Cell, Matrix } from "./matrix.js";

export function cellText(cell: Cell): string {
  switch (cell.outcome) {
    case "allow":
      return "allow";
    case "refuse":
      return `${cell.status} ${cell.code}`;
    case "conditional":
      return `allow if ${alternatives(cell.conditions)}; else ${cell.status} ${cell.code}`;
    case "observe":
      return cell.would.outcome === "allow"
        ? "allow (observed)"
        : `only observed, let through: ${cellText(cell.would)}`;
    case "none":
      return "no such caller";
    case "varies":
      return cell.by
        .map(({ authenticator, cell: inner }) => `by \`${authenticator}\`: ${cellText(inner)}`)
        .join("; ");
  }
}

/** `(a and b) or c`: nobody has to know which of the two words binds. */
function alternatives(conditions: readonly string[]): string {
  if (conditions.length < 2) return conditions.join("");
  return conditions.map((one) => (one.includes(" and ") ? `(${one})` : one)).join(" or ");
}

/** Header and rows, as texts. */
export function tableOf({ callers, rows }: Matrix): readonly (readonly string[])[] {
  return [["route", ...callers], ...rows.map(({ route, cells }) => [route, ...cells.map(cellText)])];
}
