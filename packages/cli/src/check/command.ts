/** `gatehouse check`: is this a policy that can be served? */
import type { Command } from "../cli/command.js";
import { UsageError, EXIT, type Io } from "../cli/io.js";
import { check, countsOf, type CheckedText } from "./check.js";
import { formatJson } from "./json.js";
import { formatPretty } from "./pretty.js";
import { formatSarif } from "./sarif.js";

export const checkCommand: Command = {
  name: "check",
  summary: "all problems of policy files, each with its place and its mend",
  usage: ["FILE… [options]"],
  operands: { least: 1, most: Infinity, what: "a policy file (`-` is the standard input)" },
  about:
    "Reads nothing but the files: no secret, no network, no other file. What only the environment can tell (a secret that is not set, a key file that does not parse) is told when the policy is loaded. " +
    "Exits with 0 when there is no error, with 1 when there is one (with --deny-warnings: or a warning), with 2 when a file cannot be read.",
  options: {
    format: {
      type: "text",
      choices: ["pretty", "json", "sarif"],
      help: "`pretty` (default) for readers, `json`, or `sarif` (2.1.0) for code scanning.",
    },
    json: { type: "flag", help: "Short for --format json." },
    "deny-warnings": { type: "flag", help: "Warnings fail the check too." },
  },
  examples: [
    "gatehouse check policy.jsonc",
    "gatehouse check policies/*.json --deny-warnings",
    "gatehouse check policy.jsonc --format sarif > gatehouse.sarif",
  ],
  async run(input, io) {
    const format = input.text("format");
    if (input.flag("json") && format !== undefined && format !== "json")
      throw new UsageError(`\`--json\` contradicts \`--format ${format}\``);
    const checked: CheckedText[] = [];
    for (const file of input.operands) checked.push(await checkFile(file, io));
    io.out(
      FORMATS[input.flag("json") ? "json" : ((format ?? "pretty") as keyof typeof FORMATS)](checked, io),
    );
    const { errors, warnings } = countsOf(checked);
    return errors > 0 || (warnings > 0 && input.flag("deny-warnings")) ? EXIT.findings : EXIT.ok;
  },
};

const FORMATS = {
  pretty: (checked: readonly CheckedText[], { colour }: Io) => formatPretty(checked, { colour }),
  json: formatJson,
  sarif: formatSarif,
};

async function checkFile(path: string, io: Io): Promise<CheckedText> {
  const text = await io.read(path);
  const file = path === "-" ? "<stdin>" : path;
  return { file, text, diagnostics: check(text, file) };
}
