/** `gatehouse replay`. */
import type { Input } from "../cli/input.js";
import { EXIT, UsageError, type Io } from "../cli/io.js";
import { choiceHelp } from "../lib/near.js";
import { policyFrom } from "../lib/policy-file.js";
import { FAILING, type Category, type FailOn, type ReplayFormat } from "./choices.js";
import { formatReplay } from "./formats.js";
import { replayLog } from "./replay.js";

export async function runReplay(input: Input, io: Io): Promise<number> {
  const [log = "", file = ""] = input.operands;
  const given = input.text("format") as ReplayFormat | undefined;
  if (input.flag("json") && given !== undefined && given !== "json")
    throw new UsageError(`\`--json\` contradicts \`--format ${given}\``);
  const files = [file, ...input.texts("served")];
  if ([log, ...files].filter((name) => name === "-").length > 1)
    throw new UsageError("only one of the files can be the standard input");
  const failing = failOn(input.text("fail-on"));
  const examples = examplesOf(input.text("examples"));
  const candidate = await policyFrom(file, io);
  const served = [];
  for (const path of input.texts("served")) served.push(await policyFrom(path, io));
  const report = await replayLog(io.lines(log), candidate, { served, examples, onProgress: progress(io) });
  if (io.watched) io.err("\r");
  io.out(formatReplay(report, input.flag("json") ? "json" : (given ?? "pretty"), io.colour));
  // Whoever asks for nothing of a kind has learned nothing of a log that is empty, or is another file.
  const found = failing.size > 0 && report.decisions === 0;
  return found || [...failing].some((category) => report.counts[category] > 0) ? EXIT.findings : EXIT.ok;
}

function progress(io: Io): (lines: number) => void {
  return (lines) => {
    if (io.watched) io.err(`\r${lines} lines`);
  };
}

function examplesOf(text: string | undefined): number {
  if (text === undefined) return 3;
  const number = /^\d{1,4}$/u.test(text) ? Number(text) : -1;
  if (number < 0 || number > 1000) throw new UsageError("`--examples` is no whole number up to 1000");
  return number;
}

function failOn(text: string | undefined): ReadonlySet<Category> {
  const names = text === undefined ? [] : text.split(",").map((name) => name.trim());
  return new Set(
    names.map((name) => {
      if (isFailOn(name)) return FAILING[name];
      throw new UsageError(
        `\`--fail-on\` cannot be \`${name}\``,
        choiceHelp(name, Object.keys(FAILING), "choices"),
      );
    }),
  );
}

function isFailOn(name: string): name is FailOn {
  return Object.hasOwn(FAILING, name);
}
