/** A diagnosis to read. */
import type { SeenHop } from "@gatehouse/core/analysis";
import { paint } from "../cli/paint.js";
import { printable } from "../lib/printable.js";
import type { Advice, Attempt, Diagnosis } from "./doctor.js";
import type { ProxyAdvice } from "./proxies.js";

export function formatDiagnosis(diagnosis: Diagnosis, { colour }: { readonly colour: boolean }): string {
  const bold = (text: string): string => paint(colour)("bold", text);
  const { seen, schemeFrom, hostFrom, ignored, attempts, advice } = diagnosis;
  if (seen.refused !== undefined)
    return `${bold("the request cannot be read in one way")}\n  ${seen.refused.code}: ${seen.refused.reason}\n`;
  const counted = seen.key === seen.client ? "" : `, counted as ${seen.key ?? "nobody"}`;
  const plain = (lines: readonly string[]): readonly string[] => lines.map(printable);
  const lines = [
    bold("the engine sees"),
    `  address  ${seen.client ?? "none"}${counted}`,
    `  scheme   ${seen.scheme}, from ${schemeFrom}`,
    `  host     ${seen.host === "" ? "none" : seen.host}, from ${hostFrom}`,
    "",
    bold("the way to the address"),
    ...plain(wayOf(diagnosis).map((line) => `  ${line}`)),
    ...(ignored.length === 0 ? [] : [`  not read: ${ignored.map((name) => `\`${name}\``).join(", ")}`]),
    "",
    bold("what somebody could make it believe"),
    ...plain(attempts.flatMap(attemptLines)),
    "",
    bold(advice.length === 0 ? "nothing to change" : "what to change"),
    ...plain(advice.flatMap(adviceLines)),
  ];
  return `${lines.join("\n")}\n`;
}

function wayOf({ seen: { peer, reads, field, hops } }: Diagnosis): readonly string[] {
  if (peer === undefined || peer.address === undefined) return ["the socket's peer has no address"];
  const first = `${peer.address}  the socket's peer: ${trusted(peer)}`;
  if (peer.trustedAs === undefined) return [`${first}, so nothing that it says is read`];
  if (reads === undefined) return [`${first}, and no header is named that would be read`];
  if (field === undefined) return [`${first}, and it sends no \`${reads.header}\``];
  const end = reads.family === "single" ? "" : ", read from its end";
  return [
    first,
    `\`${reads.header}\`${end}`,
    ...hops.map(
      (hop, index) => `${hop.address ?? `\`${hop.text}\``}  ${hopWords(hop, index === hops.length - 1)}`,
    ),
  ];
}

function hopWords(hop: SeenHop, last: boolean): string {
  if (hop.address === undefined) return "no address: the walk ends before it";
  if (hop.trustedAs === undefined) return "in none of `peers`: the caller";
  return last ? `${trusted(hop)}, and nobody is left: taken for the caller` : `${trusted(hop)}: further`;
}

function trusted({ trustedAs }: SeenHop): string {
  return trustedAs === undefined ? "in none of `peers`" : `trusted, by \`${trustedAs}\``;
}

function attemptLines({ what, client, believed, note }: Attempt): readonly string[] {
  const outcome = believed ? "believed" : `not believed: he is ${client ?? "nobody"}`;
  return [`  ${what}`, `    ${outcome}${note === undefined ? "" : `; ${note}`}`];
}

function adviceLines({ kind, what, change }: Advice): readonly string[] {
  return [`  ${kind}: ${what}`, `    ${change}`];
}

export function formatProxy({ title, trust, configure, notes }: ProxyAdvice): string {
  const lines = [
    `behind ${title}`,
    "",
    "in the policy, with your own addresses",
    `  "transport": { "trust": ${oneLine(trust)} }`,
    "",
    "at the proxy",
    ...(configure.length === 0 ? ["  nothing beyond its defaults"] : configure.map((line) => `  ${line}`)),
    "",
    ...notes.map((note) => `- ${note}`),
  ];
  return `${lines.join("\n")}\n`;
}

/** JSON as one would write it. */
function oneLine(value: unknown): string {
  return JSON.stringify(value, null, 1)
    .replaceAll(/\n\s*/gu, " ")
    .replaceAll("[ ", "[")
    .replaceAll(" ]", "]");
}
