/** `gatehouse diff`: what changes between two policies. */
import type { Command } from "../cli/command.js";
import { EXIT, UsageError } from "../cli/io.js";
import { choiceHelp } from "../lib/near.js";
import { policyFrom } from "../lib/policy-file.js";
import { diffPolicies, type PolicyDiff } from "./diff.js";
import { DIFF_FORMATS, formatDiff, type DiffFormat } from "./formats.js";
import type { Verdict } from "./model.js";

/** What `--fail-on` names, as verdicts. What is undecided may be wider. */
const FAILING = {
  wider: ["wider", "changed both ways", "undecided"],
  changed: ["wider", "narrower", "changed both ways", "undecided"],
  undecided: ["undecided"],
} as const satisfies Readonly<Record<string, readonly Verdict[]>>;
type FailOn = keyof typeof FAILING;

export const diffCommand: Command = {
  name: "diff",
  summary: "what changes between two policies, each change with a request that shows it",
  usage: ["OLD NEW [--format FORMAT] [--fail-on WHAT]"],
  operands: { least: 2, most: 2, what: "an old and a new policy file" },
  about:
    "Per route and aspect: same, wider, narrower, changed both ways, or undecided. What is not the same comes with a request and a person whose outcome differs, " +
    "put to the real engine of both policies before it is told; what could not be shown is undecided, with the reason. No secret is needed. " +
    "With --fail-on it exits with 1 where a verdict is of that kind.",
  options: {
    format: { type: "text", choices: DIFF_FORMATS, help: "Default pretty." },
    json: { type: "flag", help: "Short for --format json." },
    "fail-on": {
      type: "text",
      value: "WHAT[,WHAT]",
      help: "wider (what is changed both ways or undecided may be wider too), changed (whatever is not the same), undecided. Default: 0 whatever is found.",
    },
  },
  examples: [
    "gatehouse diff old.jsonc policy.jsonc",
    "gatehouse diff old.jsonc policy.jsonc --fail-on wider",
    "git show main:policy.jsonc | gatehouse diff - policy.jsonc --format markdown",
  ],
  async run(input, io) {
    const [old = "", fresh = ""] = input.operands;
    const given = input.text("format") as DiffFormat | undefined;
    if (input.flag("json") && given !== undefined && given !== "json")
      throw new UsageError(`\`--json\` contradicts \`--format ${given}\``);
    if (old === "-" && fresh === "-") throw new UsageError("only one of the two policies can be the standard input");
    const failing = failOn(input.text("fail-on"));
    const diff = await diffPolicies(await policyFrom(old, io), await policyFrom(fresh, io));
    io.out(formatDiff(diff, input.flag("json") ? "json" : (given ?? "pretty"), io.colour));
    return verdictsOf(diff).some((verdict) => failing.has(verdict)) ? EXIT.findings : EXIT.ok;
  },
};

/** Each aspect's own: what is wider in one place is not made up for in another. */
function verdictsOf({ routes }: PolicyDiff): readonly Verdict[] {
  return routes.flatMap(({ aspects }) => aspects.map(({ verdict }) => verdict));
}

function failOn(text: string | undefined): ReadonlySet<Verdict> {
  const names = text === undefined ? [] : text.split(",").map((name) => name.trim());
  return new Set(names.flatMap((name): readonly Verdict[] => {
    if (isFailOn(name)) return FAILING[name];
    throw new UsageError(`\`--fail-on\` cannot be \`${name}\``, choiceHelp(name, Object.keys(FAILING), "choices"));
  }));
}

function isFailOn(name: string): name is FailOn {
  return Object.hasOwn(FAILING, name);
}
