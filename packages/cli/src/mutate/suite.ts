/** A policy with the tests that are about it. */
import { PolicyError, type PolicyDocument } from "@gatehouse/core";
import { readPolicyTests, runPolicyTests, type PolicyTestFile } from "@gatehouse/core/testing";
import { CoverageOf, policyOf } from "../coverage/coverage.js";
import { isEquivalent } from "./equivalence.js";
import { mutantsOf } from "./mutants.js";
import { mutated, type Mutant } from "./mutant.js";

export type Verdict =
  | { readonly status: "killed"; readonly by: string }
  | { readonly status: "survived" }
  /** The same policy in other words. */
  | { readonly status: "equivalent" }
  /** No policy that could be served: nobody would get as far as tests. */
  | { readonly status: "refused" };

/** One test, and what of the policy it reaches. */
interface KnownTest {
  readonly file: PolicyTestFile;
  readonly index: number;
  readonly name: string;
  readonly pointers: ReadonlySet<string>;
  readonly took: number;
}

/** Tests of a policy that fail already tell nothing of its mutants. */
export class FailingTestsError extends Error {
  override readonly name = "FailingTestsError";
}

export class Suite {
  readonly mutants: readonly Mutant[];

  private constructor(
    readonly policyName: string,
    readonly policy: PolicyDocument,
    readonly files: readonly PolicyTestFile[],
    private readonly tests: readonly KnownTest[],
  ) {
    this.mutants = mutantsOf(policy);
  }

  /**
   * One for each policy that the files of tests name.
   * @throws FailingTestsError (rejects) where a test does not pass
   */
  static async all(paths: readonly string[]): Promise<readonly Suite[]> {
    const byPolicy = new Map<
      string,
      { readonly document: PolicyDocument; readonly files: PolicyTestFile[] }
    >();
    for (const path of paths) {
      const file = await readPolicyTests(path);
      const { name, document } = await policyOf(file, path);
      const known = byPolicy.get(name) ?? { document, files: [] };
      known.files.push(file);
      byPolicy.set(name, known);
    }
    const suites: Suite[] = [];
    for (const [name, { document, files }] of byPolicy)
      suites.push(new Suite(name, document, files, await knownTests(document, files)));
    return suites;
  }

  /** Runs tests until one notices, those first that reach what was changed. */
  async judge(mutant: Mutant): Promise<Verdict> {
    const policy = mutated(this.policy, mutant);
    try {
      for (const { file, tests } of this.inOrder(mutant.pointer)) {
        const report = await runPolicyTests({ ...file, tests }, { policy, bail: true });
        const failed = report.tests.find(({ status }) => status === "failed");
        if (failed !== undefined) return { status: "killed", by: failed.name };
      }
    } catch (error) {
      if (error instanceof PolicyError) return { status: "refused" };
      throw error;
    }
    return { status: isEquivalent(this.policy, policy) ? "equivalent" : "survived" };
  }

  private inOrder(
    pointer: string,
  ): readonly { readonly file: PolicyTestFile; readonly tests: PolicyTestFile["tests"] }[] {
    const reaches = ({ pointers }: KnownTest): boolean =>
      [...pointers].some((one) => isWithin(one, pointer) || isWithin(pointer, one));
    const near = new Set(this.tests.filter(reaches));
    const sorted = this.tests.toSorted(
      (a, b) => Number(near.has(b)) - Number(near.has(a)) || a.took - b.took,
    );
    return this.files.map((file) => ({
      file,
      tests: sorted.flatMap((test) => (test.file === file ? (file.tests[test.index] ?? []) : [])),
    }));
  }
}

function isWithin(pointer: string, outer: string): boolean {
  return outer !== "" && (pointer === outer || pointer.startsWith(`${outer}/`));
}

async function knownTests(
  policy: PolicyDocument,
  files: readonly PolicyTestFile[],
): Promise<readonly KnownTest[]> {
  const coverage = new CoverageOf("", policy);
  const known: KnownTest[] = [];
  for (const file of files) {
    const reached = new Map<string, Set<string>>();
    const took = new Map<string, number>();
    let began = performance.now();
    const report = await runPolicyTests(file, {
      onDecision: (seen) => {
        const pointers = reached.get(seen.test) ?? new Set();
        reached.set(seen.test, pointers);
        for (const { pointer } of coverage.reachedBy(seen, file)) pointers.add(pointer);
      },
      onTest: ({ name }) => {
        took.set(name, performance.now() - began);
        began = performance.now();
      },
    });
    const failed = report.tests.find(({ status }) => status === "failed");
    if (failed !== undefined)
      throw new FailingTestsError(
        `\`${failed.name}\` fails: mutants tell something only where all tests pass`,
      );
    for (const [index, { name }] of file.tests.entries())
      known.push({ file, index, name, pointers: reached.get(name) ?? new Set(), took: took.get(name) ?? 0 });
  }
  return known;
}
