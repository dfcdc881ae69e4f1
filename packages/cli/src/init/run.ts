/** `gatehouse init`: a first policy and its first tests. */
import type { Input } from "../cli/input.js";
import { EXIT, UsageError, type Io } from "../cli/io.js";
import { POLICY_FILES } from "../lib/policy-name.js";
import { STARTER, type StarterFile } from "./starter.js";

export async function runInit(input: Input, io: Io): Promise<number> {
  const file = input.text("from-openapi");
  const force = input.flag("force");
  if (file !== undefined) return await (await import("./run-openapi.js")).initFromOpenApi(file, input, io);
  await writeAll(STARTER, force, io);
  if (input.flag("json"))
    io.out(`${JSON.stringify({ written: STARTER.map(({ name }) => name) }, null, 2)}\n`);
  else io.out(`${told(STARTER)}\nnext: gatehouse check, gatehouse test, gatehouse audit\n`);
  return EXIT.ok;
}

export function told(files: readonly StarterFile[]): string {
  return files.map(({ name }) => `wrote ${name}\n`).join("");
}

/**
 * All or none, as far as that can be told beforehand.
 * @throws UsageError where one is there and `force` is not said, or where a policy of the other name would stand beside it
 */
export async function writeAll(files: readonly StarterFile[], force: boolean, io: Io): Promise<void> {
  const there: string[] = [];
  for (const { name } of files) if (await io.exists(name)) there.push(name);
  if (there.length > 0 && !force)
    throw new UsageError(
      `${there.map((name) => `\`${name}\``).join(" and ")} ${there.length === 1 ? "is" : "are"} there already`,
      "nothing was written; `--force` writes over it",
    );
  const [, other] = POLICY_FILES;
  if (await io.exists(other))
    throw new UsageError(
      `\`${other}\` is there already`,
      "nothing was written: of two policies nobody would know which is meant",
    );
  for (const { name, text } of files) await io.write(name, text, force);
}
