/** Which policy is meant where none is named. */
import { UsageError, type Io } from "../cli/io.js";

/** The first is the one that `gatehouse init` writes. */
export const POLICY_FILES = ["gatehouse.policy.jsonc", "gatehouse.policy.json"] as const;

/**
 * The file that is named, else that of the current folder.
 * @throws UsageError where there is none, or two: one of them would be judged, and nobody would know which
 */
export async function policyNamed(named: string | undefined, io: Io): Promise<string> {
  if (named !== undefined) return named;
  const found: string[] = [];
  for (const name of POLICY_FILES) if (await io.exists(name)) found.push(name);
  const [first, second] = found;
  if (first === undefined)
    throw new UsageError(
      `no policy file is named, and there is no \`${POLICY_FILES[0]}\` here`,
      "name one, or let `gatehouse init` write it",
    );
  if (second !== undefined)
    throw new UsageError(`\`${first}\` and \`${second}\` are both here`, "name the one that is meant");
  return first;
}
