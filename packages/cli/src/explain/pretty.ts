/** An explanation for a reader at a terminal. */
import { formatTrace } from "@gatehouse/core/testing";
import { paint } from "../cli/paint.js";
import { printable } from "../lib/printable.js";
import type { Explanation } from "./explain.js";

export function formatExplanation(
  found: Explanation,
  { colour = false }: { readonly colour?: boolean } = {},
): string {
  const style = paint(colour);
  const {
    method,
    target,
    https,
    outcome,
    status,
    code,
    shown,
    stage,
    route,
    rule,
    reason,
    principal,
    assumed,
    observed,
    trace,
    hints,
  } = found;
  const verdict =
    outcome === "admit"
      ? style(
          "green",
          observed.length > 0 ? "admitted, because the route only observes" : "admitted: the handler runs",
        )
      : outcome === "answer"
        ? style("blue", `answered by the engine with ${status}`)
        : style("red", `refused with ${status} ${code ?? ""}`) +
          (stage === undefined ? "" : ` at \`${stage}\``);
  const facts: (readonly [string, string | undefined])[] = [
    ["route", route ?? "none matched"],
    ["caller", principal === null ? (outcome === "admit" ? "anonymous" : undefined) : callerText(principal)],
    ["rule", rule],
    ["why", reason],
    ["shown", shown === undefined ? undefined : `the caller is told \`${shown}\`: the route conceals`],
    [
      "observed",
      observed.length === 0
        ? undefined
        : observed.map((one) => `${one.code}: ${one.reason ?? ""}`).join("; "),
    ],
    ["assumed", assumed.length === 0 ? undefined : assumed.join("; ")],
  ];
  return [
    `${style("bold", printable(`${method} ${withoutQueryValues(target)}`))} over ${https ? "HTTPS" : "plain HTTP"}`,
    verdict,
    ...facts.flatMap(([name, text]) =>
      text === undefined ? [] : [`  ${name.padEnd(8)} ${printable(text)}`],
    ),
    "",
    "stages:",
    ...formatTrace(trace)
      .split("\n")
      .filter(Boolean)
      .map((line) => `  ${printable(line)}`),
    ...(hints.length === 0
      ? []
      : [
          "",
          "to be admitted:",
          ...hints.map((hint) => `  ${hint.startsWith("  ") ? "" : "- "}${printable(hint)}`),
        ]),
    "",
  ].join("\n");
}

function callerText(principal: NonNullable<Explanation["principal"]>): string {
  const roles =
    "roles" in principal && Array.isArray(principal.roles) && principal.roles.length > 0
      ? `, roles ${principal.roles.join(", ")}`
      : "";
  return `\`${principal.id}\` by \`${principal.authenticator}\`${roles}`;
}

/** A key may travel in the query, and a report ends up in tickets. */
function withoutQueryValues(target: string): string {
  return target.replace(/\?.*$/u, (query) => query.replaceAll(/=[^&]*/gu, "=…"));
}
