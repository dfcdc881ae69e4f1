/** `gatehouse matrix`: who may call what. */
import type { Command } from "../cli/command.js";
import { EXIT, UsageError, type Io } from "../cli/io.js";
import { policyFrom } from "../lib/policy-file.js";
import { printable } from "../lib/printable.js";
import { matrixChanges } from "./compare.js";
import { formatMatrix, MATRIX_FORMATS, readTable, type MatrixFormat } from "./formats.js";
import { matrix, type Matrix } from "./matrix.js";
import { tableOf } from "./text.js";

export const matrixCommand: Command = {
  name: "matrix",
  summary: "who may call what: every route for anonymous callers, callers without roles, and each role",
  usage: ["POLICY [--format FORMAT] [--check FILE]"],
  operands: { least: 1, most: 1, what: "a policy file" },
  about:
    "Every cell is asked of the real engine, with throwaway credentials, so no secret is needed: allow, refuse with status and code, or allow under a condition, which is stated. " +
    "With --check a reviewed matrix is compared with what the policy says now: 0 where nothing changed, 1 with every changed cell where something did.",
  options: {
    format: {
      type: "text",
      choices: MATRIX_FORMATS,
      help: "Default markdown; with --check what the file's name ends in (.md, .csv, .json).",
    },
    json: { type: "flag", help: "Short for --format json." },
    check: {
      type: "text",
      value: "FILE",
      help: "A reviewed matrix, in Markdown, CSV or JSON, to compare with.",
    },
  },
  examples: [
    "gatehouse matrix policy.jsonc > access.md",
    "gatehouse matrix policy.jsonc --check access.md",
    "gatehouse matrix policy.jsonc --format html > access.html",
  ],
  async run(input, io) {
    const [file = ""] = input.operands;
    const given = input.flag("json") ? "json" : (input.text("format") as MatrixFormat | undefined);
    if (input.flag("json") && input.has("format") && input.text("format") !== "json")
      throw new UsageError(`\`--json\` contradicts \`--format ${input.text("format") ?? ""}\``);
    const reviewed = input.text("check");
    const policy = await policyFrom(file, io);
    const found = await matrix(policy, { file: file === "-" ? undefined : file });
    if (reviewed !== undefined) return await compare(found, reviewed, given ?? formatOf(reviewed), io);
    io.out(formatMatrix(found, given ?? "markdown"));
    return EXIT.ok;
  },
};

async function compare(found: Matrix, file: string, format: MatrixFormat, io: Io): Promise<number> {
  const text = await io.read(file);
  let table: ReturnType<typeof readTable>;
  try {
    table = readTable(text, format);
  } catch (error) {
    throw new UsageError(
      `\`${file}\` cannot be compared: ${error instanceof SyntaxError ? "it is no JSON" : error instanceof Error ? error.message : "it cannot be read"}`,
      "compare with what `gatehouse matrix` wrote as Markdown, CSV or JSON",
    );
  }
  const changes = matrixChanges(table, tableOf(found));
  if (changes.length === 0) {
    io.out(printable(`${file} is what the policy says\n`));
    return EXIT.ok;
  }
  const one = changes.length === 1;
  io.out(
    printable(
      `${changes.map((change) => `${change}\n`).join("")}\n${changes.length} ${one ? "change" : "changes"} since ${file} was reviewed\n`,
    ),
  );
  return EXIT.findings;
}

const ENDINGS: Readonly<Record<string, MatrixFormat>> = {
  md: "markdown",
  markdown: "markdown",
  csv: "csv",
  json: "json",
  html: "html",
  htm: "html",
};

function formatOf(file: string): MatrixFormat {
  const ending = /\.(\w+)$/u.exec(file)?.[1]?.toLowerCase() ?? "";
  const format = Object.hasOwn(ENDINGS, ending) ? ENDINGS[ending] : undefined;
  if (format === undefined)
    throw new UsageError(`the name of \`${file}\` does not tell its format`, "say it with `--format`");
  return format;
}
