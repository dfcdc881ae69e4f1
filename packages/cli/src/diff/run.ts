/** `gatehouse diff`: what changes between two policies. */
import type { Input } from "../cli/input.js";
import { EXIT, UsageError, type Io } from "../cli/io.js";
import { choiceHelp } from "../lib/near.js";
import { policyFrom } from "../lib/policy-file.js";
import type { DiffFormat } from "./choices.js";
import { diffPolicies, type PolicyDiff } from "./diff.js";
import { formatDiff } from "./formats.js";
import type { Verdict } from "./model.js";

/** What `--fail-on` names, as verdicts. What is undecided may be wider. */
const FAILING = {
  wider: ["wider", "changed both ways", "undecided"],
  changed: ["wider", "narrower", "changed both ways", "undecided"],
  undecided: ["undecided"],
} as const satisfies Readonly<Record<string, readonly Verdict[]>>;
type FailOn = keyof typeof FAILING;

export async function runDiff(input: Input, io: Io): Promise<number> {
  const [old = "", fresh = ""] = input.operands;
  const given = input.text("format") as DiffFormat | undefined;
  if (input.flag("json") && given !== undefined && given !== "json")
    throw new UsageError(`\`--json\` contradicts \`--format ${given}\``);
  if (old === "-" && fresh === "-")
    throw new UsageError("only one of the two policies can be the standard input");
  const failing = failOn(input.text("fail-on"));
  const diff = await diffPolicies(await policyFrom(old, io), await policyFrom(fresh, io));
  io.out(formatDiff(diff, input.flag("json") ? "json" : (given ?? "pretty"), io.colour));
  return verdictsOf(diff).some((verdict) => failing.has(verdict)) ? EXIT.findings : EXIT.ok;
}

/** Each aspect's own: what is wider in one place is not made up for in another. */
function verdictsOf({ routes }: PolicyDiff): readonly Verdict[] {
  return routes.flatMap(({ aspects }) => aspects.map(({ verdict }) => verdict));
}

function failOn(text: string | undefined): ReadonlySet<Verdict> {
  const names = text === undefined ? [] : text.split(",").map((name) => name.trim());
  return new Set(
    names.flatMap((name): readonly Verdict[] => {
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
