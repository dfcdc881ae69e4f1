/** Mutates policies, and asks their tests whether they notice. */
import { locateInPolicy } from "@gatehouse/core";
import type { PolicyTest } from "@gatehouse/core/testing";
import { choiceHelp } from "../lib/near.js";
import { judgesFor } from "./judges.js";
import type { Mutant } from "./mutant.js";
import { Suite, type Verdict } from "./suite.js";
import { findWitness, type Witness } from "./witness.js";

export interface MutateOptions {
  /** How many threads judge mutants at once. Default 1. */
  readonly jobs?: number;
  /** Whether a request is looked for that tells each survivor apart. Default true. */
  readonly witnesses?: boolean;
  /** Mutants to judge, by where they are and what was changed. Default: all. */
  readonly only?: (pointer: string, change: string) => boolean;
  /** Called as the work goes on. */
  readonly onProgress?: (done: number, all: number, what: "mutants" | "witnesses") => void;
}

export interface JudgedMutant {
  /** JSON Pointer of what was changed, in the policy. */
  readonly pointer: string;
  readonly line: number | undefined;
  readonly column: number | undefined;
  /** What was changed, in words. */
  readonly change: string;
  /** `refused`: `gatehouse check` would not let it through; `equivalent`: the same policy in other words. Neither is counted. */
  readonly status: Verdict["status"];
  /** Name of the test that noticed. */
  readonly by: string | undefined;
  /** Of a survivor: a test that tells it from the policy. Undefined: none was found, or none was looked for. */
  readonly witness: Witness | undefined;
}

export interface PolicyMutation {
  /** Path of the policy; of one that stands in a file of tests, that file's. */
  readonly policy: string;
  readonly killed: number;
  readonly survived: number;
  readonly refused: number;
  readonly equivalent: number;
  /** Of those that count, how many were noticed: whole percents, never rounded up. */
  readonly score: number;
  readonly mutants: readonly JudgedMutant[];
}

/**
 * Changes one thing of a policy after the other, and runs its tests until one of them notices.
 * @param files paths of files of tests; those that name one policy judge its mutants together
 * @throws FailingTestsError (rejects) where a test fails on the policy as it is
 * @throws PolicyTestError, PolicyError (reject) where tests cannot be run
 */
export async function mutatePolicy(
  files: readonly string[],
  options: MutateOptions = {},
): Promise<readonly PolicyMutation[]> {
  for (const name of Object.keys(options))
    if (!OPTIONS.some((one) => one === name))
      throw new TypeError(`unknown option \`${name}\`: ${choiceHelp(name, OPTIONS, "options")}`);
  const suites = await Suite.all(files);
  const found: PolicyMutation[] = [];
  for (const [index, suite] of suites.entries()) found.push(await mutationOf(suite, index, files, options));
  return found;
}

const OPTIONS: readonly (keyof MutateOptions)[] = ["jobs", "witnesses", "only", "onProgress"];

async function mutationOf(
  suite: Suite,
  index: number,
  files: readonly string[],
  { jobs = 1, witnesses = true, only = () => true, onProgress }: MutateOptions,
): Promise<PolicyMutation> {
  const chosen = [...suite.mutants.entries()].filter(([, { pointer, change }]) => only(pointer, change));
  const judges = judgesFor(suite, index, files, Math.min(jobs, chosen.length));
  let done = 0;
  const verdicts = await judges.all(
    chosen.map(([at]) => at),
    () => onProgress?.(++done, chosen.length, "mutants"),
  );
  const survivors = verdicts.filter(({ status }) => status === "survived").length;
  const mutants: JudgedMutant[] = [];
  let looked = 0;
  for (const [at, [, mutant]] of chosen.entries()) {
    const verdict = verdicts[at] ?? { status: "survived" };
    const wanted = witnesses && verdict.status === "survived";
    const witness = wanted ? await findWitness(suite, mutant) : undefined;
    if (wanted) onProgress?.(++looked, survivors, "witnesses");
    mutants.push(judged(suite, mutant, verdict, witness));
  }
  return { policy: suite.policyName, ...countsOf(mutants), mutants };
}

function judged(
  suite: Suite,
  { pointer, change }: Mutant,
  verdict: Verdict,
  witness: Witness | undefined,
): JudgedMutant {
  const place = locateInPolicy(suite.policy, pointer);
  return {
    pointer,
    line: place?.line,
    column: place?.column,
    change,
    status: verdict.status,
    by: verdict.status === "killed" ? verdict.by : undefined,
    witness,
  };
}

function countsOf(mutants: readonly JudgedMutant[]): Omit<PolicyMutation, "policy" | "mutants"> {
  const count = (wanted: Verdict["status"]): number =>
    mutants.filter(({ status }) => status === wanted).length;
  const [killed, survived] = [count("killed"), count("survived")];
  const score = killed + survived === 0 ? 100 : Math.floor((killed / (killed + survived)) * 100);
  return { killed, survived, refused: count("refused"), equivalent: count("equivalent"), score };
}

/** A file of tests, with one that tells each survivor apart for which there is one. */
export function suggestedTests({ policy, mutants }: PolicyMutation): object {
  const found = mutants.flatMap(({ witness }) => (witness === undefined ? [] : [witness]));
  const secrets: Readonly<Record<string, string>> = Object.fromEntries(
    found.flatMap((one) => Object.entries(one.secrets)),
  );
  const tests: PolicyTest[] = [];
  for (const { test } of found) {
    // One request may tell several apart.
    const { name: _, ...what } = test;
    if (!tests.some(({ name: _other, ...other }) => JSON.stringify(other) === JSON.stringify(what)))
      tests.push(test);
  }
  return {
    about:
      "Suggested by `gatehouse test --mutate --suggest`. Each says what the policy does now: whether it should is yours to say.",
    policy,
    ...(Object.keys(secrets).length === 0 ? {} : { secrets }),
    tests,
  };
}
