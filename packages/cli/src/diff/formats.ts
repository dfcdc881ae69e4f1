/** A comparison for a terminal, for a program, and for a pull request. */
import { paint } from "../cli/paint.js";
import { printable } from "../lib/printable.js";

import type { DiffFormat } from "./choices.js";
import type { AspectDiff, PolicyDiff, RouteDiff } from "./diff.js";
import type { Seen } from "./duel.js";
import type { Verdict } from "./model.js";
import type { Witness } from "./search.js";

export function formatDiff(diff: PolicyDiff, format: DiffFormat, colour = false): string {
  switch (format) {
    case "pretty":
      return printable(pretty(diff, painter(colour)));
    case "json":
      return `${JSON.stringify(plainDiff(diff), null, 2)}\n`;
    case "markdown":
      return printable(markdown(diff));
  }
}

/** As JSON: what the engine's results hold besides is left out. */
export function plainDiff(diff: PolicyDiff): unknown {
  return {
    ...diff,
    routes: diff.routes.map((row) => ({
      ...row,
      aspects: row.aspects.map(({ wider, narrower, ...aspect }) => ({
        ...aspect,
        ...(wider === undefined ? {} : { wider: plainWitness(wider) }),
        ...(narrower === undefined ? {} : { narrower: plainWitness(narrower) }),
      })),
    })),
  };
}

function plainWitness({ exchange, before, wait }: Witness): unknown {
  const { candidate } = exchange;
  return {
    ...candidate,
    ...(before.length === 0 ? {} : { after: before.length, waits: [...before.map((one) => one.wait), wait] }),
    old: outcomeOf(exchange.old),
    new: outcomeOf(exchange.new),
  };
}

function outcomeOf({ result, refusedAt, code }: Seen): unknown {
  const observed = result.outcome === "admit" && refusedAt !== undefined;
  return {
    outcome: result.outcome,
    status: result.status,
    ...(refusedAt === undefined ? {} : { [observed ? "wouldRefuseAt" : "stage"]: refusedAt, code }),
  };
}

type Paint = (text: string, verdict: Verdict) => string;

const STYLES = {
  same: "green",
  wider: "red",
  narrower: "blue",
  "changed both ways": "red",
  undecided: "yellow",
} as const satisfies Readonly<Record<Verdict, string>>;

function painter(colour: boolean): Paint {
  const styled = paint(colour);
  return (text, verdict) => styled(STYLES[verdict], text);
}

function pretty(diff: PolicyDiff, paint: Paint): string {
  const rows = diff.routes.filter(({ verdict }) => verdict !== "same");
  const blocks = rows.map((row) => [
    `${rowName(row)}: ${paint(row.verdict, row.verdict)}`,
    ...row.aspects
      .filter(({ verdict }) => verdict !== "same")
      .flatMap((aspect) => aspectLines(aspect, paint)),
    "",
  ]);
  return [...blocks.flat(), summary(diff, paint), ""].join("\n");
}

function summary({ verdict, routes }: PolicyDiff, paint: Paint): string {
  const same = routes.filter((row) => row.verdict === "same").length;
  const changed = routes.length - same;
  return `${paint(verdict, verdict)}: ${changed} of ${routes.length} rows ${changed === 1 ? "differs" : "differ"}`;
}

export function rowName({ old, new: fresh }: RouteDiff): string {
  if (old === fresh) return old ?? "where no route is";
  if (old === null) return `${fresh ?? ""} (new)`;
  return fresh === null ? `${old} (gone)` : `${old} → ${fresh}`;
}

function aspectLines(
  { aspect, verdict, reason, wider, narrower }: AspectDiff,
  paint: Paint,
): readonly string[] {
  return [
    `  ${aspect}: ${paint(verdict, verdict)}${reason === undefined ? "" : `; ${reason}`}`,
    ...(wider === undefined ? [] : witnessLines(wider, "only the new lets pass")),
    ...(narrower === undefined ? [] : witnessLines(narrower, "only the old lets pass")),
  ];
}

function witnessLines(witness: Witness, what: string): readonly string[] {
  const { exchange } = witness;
  return [
    `    ${what}: ${requestText(witness)}`,
    ...callerLines(exchange.candidate),
    `      old: ${outcomeText(exchange.old)}`,
    `      new: ${outcomeText(exchange.new)}`,
    ...differences(witness).map((line) => `      ${line}`),
  ];
}

export function requestText({ exchange: { candidate }, before, wait }: Witness): string {
  const { method = "GET", target, headers, https, host, ip, query, body, text } = candidate.request;
  const parts = [
    `${method} ${target}`,
    ...(query === undefined ? [] : [`query ${JSON.stringify(query)}`]),
    ...Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${String(value)}`),
    ...(host === undefined ? [] : [`Host: ${host}`]),
    ...(https === false ? ["over plain HTTP"] : []),
    ...(ip === undefined ? [] : [`from ${ip}`]),
    ...(body === undefined ? [] : [`body ${shortened(JSON.stringify(body))}`]),
    ...(text === undefined ? [] : [`body ${shortened(text)}`]),
  ];
  if (before.length > 0) {
    const waits = [...before.map((one) => one.wait), wait].reduce((sum, one) => sum + one, 0);
    parts.push(`the ${ordinal(before.length + 1)} time${waits === 0 ? "" : `, ${waits} ms after the first`}`);
  }
  return parts.join(", ");
}

function ordinal(count: number): string {
  const ending = count % 100 > 10 && count % 100 < 14 ? "th" : (["th", "st", "nd", "rd"][count % 10] ?? "th");
  return `${count}${ending}`;
}

const LONGEST = 160;

function shortened(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}… (${text.length} characters)` : text;
}

function callerLines({ person, by, refusing, answer }: Witness["exchange"]["candidate"]): readonly string[] {
  return [
    `      by ${person === undefined ? "an anonymous caller" : `${JSON.stringify(person)}, whose credential fits the ${by} policy`}`,
    ...(refusing === undefined || refusing.length === 0
      ? []
      : [`      where the check ${refusing.map((name) => `\`${name}\``).join(" and ")} says no`]),
    ...(answer === undefined ? [] : [`      the handler answers ${shortened(JSON.stringify(answer))}`]),
  ];
}

export function outcomeText({ result, refusedAt, code }: Seen): string {
  if (result.outcome === "answer") return `answered with ${result.status}`;
  if (result.outcome === "refuse") return `${result.status} ${code ?? ""} at ${refusedAt ?? ""}`;
  return refusedAt === undefined
    ? `admitted (${result.status})`
    : `admitted, since the route observes; it would be ${code ?? ""} at ${refusedAt}`;
}

/** Where both came out alike: what the answers have that differs. */
function differences({ exchange }: Witness): readonly string[] {
  const { old, new: fresh } = exchange;
  if (outcomeText(old) !== outcomeText(fresh)) return [];
  const names = [
    ...new Set([...Object.keys(old.result.headers), ...Object.keys(fresh.result.headers)]),
  ].sort();
  const fields = names.flatMap((name) => {
    const [a, b] = [old.result.headers[name], fresh.result.headers[name]];
    return a === b || /^x-request-id$|^date$/u.test(name) ? [] : [`${name}: ${a ?? "none"} → ${b ?? "none"}`];
  });
  const plain = (text: string): string => text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/gu, "…");
  const [a, b] = [plain(old.result.text), plain(fresh.result.text)];
  const bodies = a === b ? [] : [`body of the old: ${shortened(a)}`, `body of the new: ${shortened(b)}`];
  const read = [old, fresh].map(({ result }) => JSON.stringify(result.handler?.body));
  const inputs =
    read[0] === read[1]
      ? []
      : [`the handler reads ${shortened(read[0] ?? "nothing")} and ${shortened(read[1] ?? "nothing")}`];
  return [...fields, ...bodies, ...inputs];
}

function markdown(diff: PolicyDiff): string {
  const rows = diff.routes.flatMap((row) =>
    row.aspects
      .filter(({ verdict }) => verdict !== "same")
      .map((aspect) => [code(rowName(row)), aspect.aspect, `**${aspect.verdict}**`, cell(aspect)]),
  );
  if (rows.length === 0) return `**same**: nothing that a caller could notice differs.\n`;
  return [
    `**${diff.verdict}**`,
    "",
    "| route | aspect | verdict | witness |",
    "| --- | --- | --- | --- |",
    ...rows.map((cells) => `| ${cells.join(" | ")} |`),
    "",
  ].join("\n");
}

function cell({ reason, wider, narrower, verdict }: AspectDiff): string {
  const told = [
    ...(wider === undefined ? [] : [`only the new lets pass: ${witnessCell(wider)}`]),
    ...(narrower === undefined ? [] : [`only the old lets pass: ${witnessCell(narrower)}`]),
  ];
  return [...(verdict === "undecided" && reason !== undefined ? [plainText(reason)] : []), ...told].join(
    "<br>",
  );
}

function witnessCell(witness: Witness): string {
  const { candidate, old, new: fresh } = witness.exchange;
  const who = candidate.person === undefined ? "anonymous" : code(JSON.stringify(candidate.person));
  return `${code(requestText(witness))} by ${who}: old ${plainText(outcomeText(old))}, new ${plainText(outcomeText(fresh))}`;
}

/** A table ends a cell at a pipe even within a code span; a code span ends at as many backticks as began it. */
function code(text: string): string {
  const fence = "`".repeat(Math.max(0, ...Array.from(text.matchAll(/`+/gu), ([run]) => run.length)) + 1);
  const inner = fence.length > 1 ? ` ${text} ` : text;
  return `${fence}${inner.replaceAll(/[\r\n]+/gu, " ").replaceAll("|", "\\|")}${fence}`;
}

/** What policies and requests say is no markup. */
function plainText(text: string): string {
  return text.replaceAll(/[\\*_<>[\]#|]/gu, (sign) => `\\${sign}`);
}
