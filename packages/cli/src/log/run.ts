/** `gatehouse log`. */
import { verifyLog, type LogVerdict } from "@gatehouse/core/node";
import type { BundleAlgorithm } from "../bundle/choices.js";
import { pinnedKeys } from "../bundle/keys.js";
import type { Input } from "../cli/input.js";
import { EXIT, UsageError, type Io } from "../cli/io.js";
import { choiceHelp } from "../lib/near.js";
import { printable } from "../lib/printable.js";
import { LOG_FORMS } from "./choices.js";

export async function runLog(input: Input, io: Io): Promise<number> {
  const [form = "", ...files] = input.operands;
  if (form !== "verify")
    throw new UsageError(`\`log\` cannot \`${form}\``, choiceHelp(form, LOG_FORMS, "forms"));
  const key = input.text("key");
  if (key === undefined) throw new UsageError("`--key` is missing");
  if ([key, ...files].filter((name) => name === "-").length > 1)
    throw new UsageError("only one of the files can be the standard input");
  // The table of options admits nothing else.
  const said = { kid: input.text("kid"), alg: input.text("alg") as BundleAlgorithm | undefined };
  const keys = pinnedKeys(await io.read(key), said);
  const verdict = await verifyLog(linesOf(files, io), keys);
  io.out(input.flag("json") ? `${JSON.stringify(verdict, null, 2)}\n` : printable(formatVerdict(verdict)));
  return verdict.faults.length === 0 && verdict.lines > 0 ? EXIT.ok : EXIT.findings;
}

async function* linesOf(files: readonly string[], io: Io): AsyncIterable<string> {
  for (const file of files) yield* io.lines(file);
}

export function formatVerdict(verdict: LogVerdict): string {
  const { lines, decisions, dropped, faults, sealed, unsealed, ended, continues, sealedAt } = verdict;
  const told = faults.map(({ line, kind, message }) => `line ${line}: ${kind}: ${message}`);
  const facts = [
    `lines      ${lines}, ${decisions} of them decisions`,
    `signed     ${sealed}${sealedAt === undefined ? "" : `, the last head at ${new Date(sealedAt).toISOString()}`}`,
    ...(unsealed > 0
      ? [`unsealed   ${unsealed} behind the last head: what is changed or cut off there, nobody can tell`]
      : []),
    ...(dropped > 0 ? [`dropped    ${dropped} events, as the log itself says`] : []),
    ...(continues ? ["begins     where a file ends that was not given"] : []),
    `ends       ${ended ? "where its writer closed it" : "open: its writer may have gone on"}`,
  ];
  const summary =
    lines === 0
      ? "there is nothing to verify"
      : told.length === 0
        ? "nothing was changed"
        : `${told.length} ${told.length === 1 ? "fault" : "faults"}`;
  return `${[...told, ...(told.length > 0 ? [""] : []), ...facts, "", summary].join("\n")}\n`;
}
