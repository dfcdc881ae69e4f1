/** `gatehouse check`: is this a policy that can be served? */
import type { Input } from "../cli/input.js";
import { UsageError, EXIT, type Io } from "../cli/io.js";
import { policyNamed } from "../lib/policy-name.js";
import { check, countsOf, type CheckedText } from "./check.js";
import { formatJson } from "./json.js";
import { formatPretty } from "./pretty.js";
import { formatSarif } from "./sarif.js";

export async function runCheck(input: Input, io: Io): Promise<number> {
  const format = input.text("format");
  if (input.flag("json") && format !== undefined && format !== "json")
    throw new UsageError(`\`--json\` contradicts \`--format ${format}\``);
  const checked: CheckedText[] = [];
  const files = input.operands.length > 0 ? input.operands : [await policyNamed(undefined, io)];
  for (const file of files) checked.push(await checkFile(file, io));
  io.out(FORMATS[input.flag("json") ? "json" : ((format ?? "pretty") as keyof typeof FORMATS)](checked, io));
  const { errors, warnings } = countsOf(checked);
  return errors > 0 || (warnings > 0 && input.flag("deny-warnings")) ? EXIT.findings : EXIT.ok;
}

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
