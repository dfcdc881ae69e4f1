/** Mutants for a reader: the score, and of each survivor what was changed and a request that would have told. */
import { paint, type Paint } from "../cli/paint.js";
import { printable } from "../lib/printable.js";
import type { JudgedMutant, PolicyMutation } from "./mutate.js";

export function formatMutation(
  found: readonly PolicyMutation[],
  { colour = false }: { readonly colour?: boolean } = {},
): string {
  const style = paint(colour);
  return found.map((one) => block(one, style)).join("\n");
}

function block(
  { policy, killed, survived, refused, equivalent, score, mutants }: PolicyMutation,
  style: Paint,
): string {
  const left = [
    ...(refused === 0 ? [] : [`${refused} refused by check`]),
    ...(equivalent === 0 ? [] : [`${equivalent} the same in other words`]),
  ];
  const beside = left.length === 0 ? "" : ` (not counted: ${left.join(", ")})`;
  const head = `${style("bold", "mutation")} of ${printable(policy)}: ${style(survived === 0 ? "green" : "yellow", `${score} %`)}, ${killed} of ${killed + survived} mutants noticed${beside}`;
  const survivors = mutants.filter(({ status }) => status === "survived");
  if (survivors.length === 0) return `${head}\n`;
  return [head, "", "no test noticed:", ...survivors.flatMap((one) => lines(one, policy, style)), ""].join(
    "\n",
  );
}

function lines(
  { pointer, change, line, column, witness }: JudgedMutant,
  policy: string,
  style: Paint,
): string[] {
  const place = line === undefined ? "" : `${policy}:${line}:${column ?? 1}  `;
  const head = `  ${style("yellow", printable(`${place}${pointer === "" ? "the document" : pointer}`))}  ${printable(change)}`;
  if (witness === undefined) return [head, "      no request found that tells it apart"];
  return [head, ...requestLines(witness).map((text) => `      ${printable(text)}`)];
}

function requestLines({ test, policy, mutant }: NonNullable<JudgedMutant["witness"]>): string[] {
  const steps = test.steps ?? [test];
  const last = steps.at(-1);
  const request =
    typeof last?.request === "string"
      ? last.request
      : `${last?.request?.method ?? "GET"} ${last?.request?.target ?? ""}`;
  const more = typeof last?.request === "object" ? extras(last.request) : "";
  const who = last?.as === undefined ? "anonymous" : `as ${personText(last.as)}`;
  const before = steps.slice(0, -1).reduce((sum, { repeat = 1 }) => sum + repeat, 0);
  const after = before === 0 ? "" : `, after ${before} ${before === 1 ? "request" : "requests"}`;
  const outcome =
    policy === mutant ? `${policy} either way, with another answer` : `${policy}, the mutant: ${mutant}`;
  return [`${who}: ${cut(`${request}${more}`)}${after}`, outcome];
}

function extras(request: object): string {
  const { method: _method, target: _target, ...rest } = request as Readonly<Record<string, unknown>>;
  return Object.keys(rest).length === 0 ? "" : ` ${JSON.stringify(rest)}`;
}

function personText(person: string | object): string {
  return typeof person === "string" ? person : cut(JSON.stringify(person));
}

function cut(text: string): string {
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}
