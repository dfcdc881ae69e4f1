/** `gatehouse init --from-openapi`: a policy from a description, and what has to be decided. */
import { formatDiagnostic, PolicyError } from "@gatehouse/core";
import type { Input } from "../cli/input.js";
import { EXIT, UsageError, type Io } from "../cli/io.js";
import { POLICY_FILES } from "../lib/policy-name.js";
import { printable } from "../lib/printable.js";
import { OpenApiError } from "../openapi/source.js";
import { policyFromOpenApi, type OpenApiPolicy } from "./from-openapi.js";
import { formatItems } from "./items.js";
import { told, writeAll } from "./run.js";
import { TEST_FILE, type StarterFile } from "./starter.js";

export async function initFromOpenApi(file: string, input: Input, io: Io): Promise<number> {
  const made = await policyMade(file, io);
  if (typeof made === "string") {
    io.err(printable(made));
    return EXIT.findings;
  }
  const files: readonly StarterFile[] = [
    { name: POLICY_FILES[0], text: made.text },
    { name: TEST_FILE, text: made.tests },
  ];
  await writeAll(files, input.flag("force"), io);
  if (input.flag("json"))
    io.out(`${JSON.stringify({ written: files.map(({ name }) => name), items: made.items }, null, 2)}\n`);
  else io.out(printable(`${told(files)}${formatItems(made.items)}`));
  return EXIT.ok;
}

/** Or why there is none. */
async function policyMade(file: string, io: Io): Promise<OpenApiPolicy | string> {
  const text = await io.read(file);
  try {
    return await policyFromOpenApi(text, { file: file === "-" ? undefined : file, now: io.now() });
  } catch (error) {
    if (error instanceof OpenApiError)
      throw new UsageError(
        `\`${file}\`: ${error.message}${error.file === file || error.file === "<text>" ? "" : ` (in ${error.file})`}`,
        error.help,
      );
    if (!(error instanceof PolicyError)) throw error;
    const problems = error.diagnostics
      .map((one) => `  ${formatDiagnostic(one).replaceAll("\n", "\n  ")}\n`)
      .join("");
    return `no policy that can be served comes of ${file}, and nothing was written:\n${problems}`;
  }
}
