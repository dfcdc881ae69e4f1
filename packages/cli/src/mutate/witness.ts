/** For a mutant that no test noticed: a request that would have told it from the policy, proved on both. */
import { createHash } from "node:crypto";
import { PolicyError, type PolicyDocument } from "@gatehouse/core";
import {
  runPolicyTests,
  type PolicyTest,
  type PolicyTestFile,
  type SeenDecision,
  type TestPerson,
  type TestStep,
} from "@gatehouse/core/testing";
import { segmentsOf } from "../lib/pointer.js";
import { ANYTHING, candidatesFor } from "./candidates.js";
import { mutated, type Mutant } from "./mutant.js";
import { expectationOf, observed } from "./observe.js";
import type { Suite } from "./suite.js";

/** A test that passes on the policy and fails on the mutant; both were run. */
export interface Witness {
  /** As it goes into a file of tests: of people and stubs it needs no others. */
  readonly test: PolicyTest;
  readonly secrets: Readonly<Record<string, string>>;
  /** What comes of the last request under the policy, and under the mutant. */
  readonly policy: string;
  readonly mutant: string;
}

/** Differences that are tried out of each kind, the simplest first. */
const TRIES = 4;

/** Undefined: no request was found. That is no proof that there is none. */
export async function findWitness(
  suite: Pick<Suite, "policy" | "files">,
  mutant: Mutant,
): Promise<Witness | undefined> {
  const changed = mutated(suite.policy, mutant);
  const secrets = Object.assign({}, ...suite.files.map((file) => file.secrets ?? {})) as Record<
    string,
    string
  >;
  const pair: Pair = { policy: suite.policy, changed, secrets };
  const [single, many] = candidatesFor(suite.policy, changed, mutant.pointer);
  // What the tests do already comes first: they may only have looked away.
  for (const make of [() => suite.files.flatMap(standalone), single, many]) {
    for (const tests of chunksOf(make?.() ?? [])) {
      for (const test of (await differing(pair, tests)).slice(0, TRIES)) {
        const witness = await proven(pair, test, mutant);
        if (witness !== undefined) return witness;
      }
    }
  }
  return undefined;
}

/** Of so many one is often enough, and the others need not be asked. */
const CHUNK = 250;

function chunksOf<T>(items: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / CHUNK) }, (_, index) =>
    items.slice(index * CHUNK, (index + 1) * CHUNK),
  );
}

interface Pair {
  readonly policy: PolicyDocument;
  readonly changed: PolicyDocument;
  readonly secrets: Readonly<Record<string, string>>;
}

/** Cut down to what it takes, and run on both. */
async function proven(pair: Pair, test: PolicyTest, mutant: Mutant): Promise<Witness | undefined> {
  const [mine, theirs] = [
    await seenBy(pair.policy, test, pair.secrets),
    await seenBy(pair.changed, test, pair.secrets),
  ];
  const at = mine.findIndex(({ result }, index) => {
    const other = theirs[index];
    return other !== undefined && observed(result) !== observed(other.result);
  });
  const [wanted, other] = [mine[at], theirs[at]];
  if (wanted === undefined || other === undefined) return undefined;
  const before = mine.slice(0, at);
  const short = untilStep(test, wanted.step, before.filter(({ step }) => step === wanted.step).length);
  const made = testOf(
    { test: short, wanted: wanted.result, other: other.result, before: before.map(({ result }) => result) },
    mutant,
  );
  const { policy, changed, secrets } = pair;
  if (!(await holds(policy, made, secrets)) || (await holds(changed, made, secrets))) return undefined;
  return { test: made, secrets, policy: outcomeText(wanted.result), mutant: outcomeText(other.result) };
}

interface Difference {
  readonly test: PolicyTest;
  readonly wanted: SeenDecision["result"];
  readonly other: SeenDecision["result"];
  readonly before: readonly SeenDecision["result"][];
}

/** Those of which something comes out otherwise, the simplest first. */
async function differing(
  { policy, changed, secrets }: Pair,
  tests: readonly PolicyTest[],
): Promise<readonly PolicyTest[]> {
  const mine = await digestsOf(policy, tests, secrets);
  const theirs = await digestsOf(changed, tests, secrets);
  const found = tests.flatMap((test, index) => {
    const [a, b] = [mine.get(index) ?? [], theirs.get(index) ?? []];
    const at = a.findIndex((digest, place) => b[place] !== undefined && b[place] !== digest);
    return at < 0 ? [] : [{ test, size: at + JSON.stringify(test).length / 1000 }];
  });
  return found.sort((a, b) => a.size - b.size).map(({ test }) => test);
}

/** Digests: whole results of thousands of requests would fill the memory. */
async function digestsOf(
  policy: PolicyDocument,
  tests: readonly PolicyTest[],
  secrets: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<number, readonly string[]>> {
  const digests = new Map<number, string[]>();
  await runEach(policy, tests, secrets, (index, { result }) => {
    const known = digests.get(index) ?? [];
    digests.set(index, known);
    known.push(createHash("sha256").update(observed(result)).digest("base64"));
  });
  return digests;
}

interface Seen {
  readonly step: number;
  readonly result: SeenDecision["result"];
}

async function seenBy(
  policy: PolicyDocument,
  test: PolicyTest,
  secrets: Readonly<Record<string, string>>,
): Promise<readonly Seen[]> {
  const seen: Seen[] = [];
  await runEach(policy, [test], secrets, (_index, one) => void seen.push(one));
  return seen;
}

async function runEach(
  policy: PolicyDocument,
  tests: readonly PolicyTest[],
  secrets: Readonly<Record<string, string>>,
  onEach: (index: number, seen: Seen) => void,
): Promise<void> {
  const blank = <T extends TestStep>(step: T): T =>
    step.expect === undefined ? step : { ...step, expect: ANYTHING };
  const named = tests.map((test, index) => ({
    ...blank(test),
    ...(test.steps === undefined ? {} : { steps: test.steps.map(blank) }),
    name: `${index}`,
  }));
  await runPolicyTests(
    { policy: policy as never, tests: named, secrets },
    {
      // Not strictly: of the mutant some people could be none.
      policy,
      onDecision: ({ pointer, result }) => {
        const [, test = "", , step = "0"] = segmentsOf(pointer);
        // Of a test that cannot be one nothing is learnt.
        if (result.problems.length === 0) onEach(Number(test), { step: Number(step), result });
      },
    },
  );
}

/** Up to the step that differs, of its repeats only as many as there were. */
function untilStep(test: PolicyTest, step: number, repeats: number): PolicyTest {
  const { steps } = test;
  if (steps === undefined)
    return repeats === 0 ? withoutRepeat(test) : { ...parts(test), steps: split(test, repeats) };
  const last = steps[step];
  const before = steps.slice(0, step);
  const now = last === undefined ? [] : split(last, repeats);
  const kept = [...before, ...now];
  // What was done before may not be needed, but whether it is would have to be tried.
  return kept.length === 1 && kept[0] !== undefined
    ? { ...parts(test), ...kept[0] }
    : { ...parts(test), steps: kept };
}

function split(step: TestStep, repeats: number): readonly TestStep[] {
  const { wait: _, repeat: _repeat, ...again } = step;
  if (repeats === 0) return [{ ...again, ...(step.wait === undefined ? {} : { wait: step.wait }) }];
  return [{ ...step, repeat: repeats }, again];
}

function withoutRepeat(test: PolicyTest): PolicyTest {
  return { ...test, repeat: 1 };
}

function parts({ name, at, checks, authenticators, lookups }: PolicyTest): PolicyTest {
  return {
    name,
    ...(at === undefined ? {} : { at }),
    ...(checks === undefined ? {} : { checks }),
    ...(authenticators === undefined ? {} : { authenticators }),
    ...(lookups === undefined ? {} : { lookups }),
  };
}

/** With what must come of the last request, and for those before only what the policy says of them. */
function testOf({ test, wanted, other, before }: Difference, { pointer, change }: Mutant): PolicyTest {
  const last = expectationOf(wanted, other);
  const name = `tells from a policy in which ${pointer} ${change}`;
  if (test.steps === undefined) return { ...test, name, expect: last };
  let at = 0;
  const steps = test.steps.map((step, index) => {
    if (step.request === undefined) return step;
    const result = before[at];
    at += step.repeat ?? 1;
    return {
      ...step,
      expect:
        index === (test.steps?.length ?? 0) - 1 || result === undefined ? last : { outcome: result.outcome },
    };
  });
  return { ...test, name, steps };
}

/** Every test of a file as one that stands alone: people, stubs and defaults are written into it. */
function standalone(file: PolicyTestFile): readonly PolicyTest[] {
  const merged = (name: "checks" | "authenticators" | "lookups", test: PolicyTest): object => {
    const both = { ...file[name], ...test[name] };
    return Object.keys(both).length === 0 ? {} : { [name]: both };
  };
  return file.tests.map((test): PolicyTest => {
    const { people = {} } = file;
    const alone = <T extends TestStep>(step: T): T => ({
      ...step,
      ...(typeof step.as === "string" ? { as: named(step.as, people[step.as] ?? {}) } : {}),
      ...(step.request === undefined ? {} : { request: withDefaults(step.request, file.requests) }),
    });
    const at = test.at ?? file.at;
    return {
      ...(test.steps === undefined ? alone(test) : { ...test, steps: test.steps.map(alone) }),
      ...(at === undefined ? {} : { at }),
      ...merged("checks", test),
      ...merged("authenticators", test),
      ...merged("lookups", test),
    };
  });
}

/** Who has no id of their own is called by the name under which they stand. */
function named(name: string, person: TestPerson): TestPerson {
  if (person.credentials !== undefined)
    return {
      ...person,
      credentials: Object.fromEntries(
        Object.entries(person.credentials).map(([authenticator, one]) => [
          authenticator,
          { id: name, ...one },
        ]),
      ),
    };
  return { ...person, id: person.id ?? name };
}

function withDefaults(
  written: NonNullable<TestStep["request"]>,
  defaults: PolicyTestFile["requests"],
): NonNullable<TestStep["request"]> {
  if (defaults === undefined || Object.keys(defaults).length === 0) return written;
  const [method = "", target = ""] = typeof written === "string" ? written.split(" ") : [];
  const request = typeof written === "string" ? { method, target } : written;
  return { ...defaults, ...request, headers: { ...defaults.headers, ...request.headers } };
}

async function holds(
  policy: PolicyDocument,
  test: PolicyTest,
  secrets: Readonly<Record<string, string>>,
): Promise<boolean> {
  try {
    const report = await runPolicyTests({ policy: policy as never, secrets, tests: [test] }, { policy });
    return report.failed === 0;
  } catch (error) {
    if (error instanceof PolicyError) return false;
    throw error;
  }
}

function outcomeText({ outcome, status, code, concealed }: SeenDecision["result"]): string {
  const told = code === undefined ? "" : ` ${code}`;
  return `${outcome} ${status}${told}${concealed === undefined ? "" : ` (conceals ${concealed})`}`;
}
