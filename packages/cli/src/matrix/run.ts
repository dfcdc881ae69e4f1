/** `gatehouse matrix`: who may call what. */
import type { Input } from "../cli/input.js";
import { EXIT, UsageError, type Io } from "../cli/io.js";
import { policyFrom } from "../lib/policy-file.js";
import { policyNamed } from "../lib/policy-name.js";
import { printable } from "../lib/printable.js";
import { matrixChanges } from "./compare.js";
import type { MatrixFormat } from "./choices.js";
import { formatMatrix, readTable } from "./formats.js";
import { matrix, type Matrix } from "./matrix.js";
import { tableOf } from "./text.js";

export async function runMatrix(input: Input, io: Io): Promise<number> {
  const file = await policyNamed(input.operands[0], io);
  const given = input.flag("json") ? "json" : (input.text("format") as MatrixFormat | undefined);
  if (input.flag("json") && input.has("format") && input.text("format") !== "json")
    throw new UsageError(`\`--json\` contradicts \`--format ${input.text("format") ?? ""}\``);
  const reviewed = input.text("check");
  const policy = await policyFrom(file, io);
  const found = await matrix(policy, { file: file === "-" ? undefined : file });
  if (reviewed !== undefined) return await compare(found, reviewed, given ?? formatOf(reviewed), io);
  io.out(formatMatrix(found, given ?? "markdown"));
  return EXIT.ok;
}

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
