/** What comes from a source, one text after another: judged aside, put in force whole, or told and forgotten. */
import type { Engine } from "../engine.js";
import { parsePolicy } from "../compile/parse.js";
import { PolicyError } from "../errors/diagnostics.js";
import { canonicalJson } from "../lib/canonical-json.js";
import { heardBy } from "../lib/heard.js";
import { oneAfterAnother } from "../lib/in-turn.js";
import type { HealthPart } from "../model/health.js";
import type { PolicyDocument } from "../model/policy.js";
import type { BundleVerifier } from "./bundle.js";
import { ProblemError, type FollowStatus, type PolicyChange, type PolicyProblem } from "./report.js";

/** Where the last good bundle waits for the next start. */
export interface BundleKeep {
  /** Undefined when there is none. What was kept is verified again: whoever can write there can sign nothing. */
  load(): Promise<string | undefined>;
  save(text: string): Promise<void>;
}

/**
 * Runs a policy's own tests.
 * @param tests files of tests as objects, or their paths
 * @returns what failed, each in words; empty when all passed
 */
export type PolicyTestRunner = (
  policy: PolicyDocument,
  tests: readonly (object | string)[],
) => Promise<readonly string[]>;

/** What is done with an engine: its policy is replaced, and told by it how that goes on. */
export type FollowedEngine = Pick<Engine, "name" | "revision" | "replace"> &
  Partial<Pick<Engine, "addHealth">>;

export interface FollowerParts {
  /** Of this in the engine's health. */
  readonly part: string;
  readonly engine: FollowedEngine;
  readonly verifier: BundleVerifier | undefined;
  readonly keep: BundleKeep | undefined;
  readonly runTests: PolicyTestRunner | undefined;
  /** Asked beside those that a bundle carries. */
  readonly tests: readonly (object | string)[];
  /** What `file:` references are relative to. */
  readonly file: string | undefined;
  readonly onChange: ((change: PolicyChange) => void) | undefined;
  readonly onProblem: ((problem: PolicyProblem) => void) | undefined;
  readonly now: () => number;
}

interface Candidate {
  readonly policy: PolicyDocument;
  readonly bundle: number | undefined;
  readonly tests: readonly (object | string)[];
}

type From = PolicyChange["from"];

export class Follower {
  readonly #inTurn = oneAfterAnother();
  #inForce: string | undefined = undefined;
  #bundle: { readonly number: number; readonly canonical: string } | undefined = undefined;
  /** In force, and not kept yet. */
  #unkept: string | undefined = undefined;
  #unkeptTold: string | undefined = undefined;
  #checkedAt: number | undefined = undefined;
  #changedAt: number | undefined = undefined;
  #problem: PolicyProblem | undefined = undefined;
  #closed = false;

  readonly #leave: () => void;

  constructor(private readonly parts: FollowerParts) {
    this.#leave = parts.engine.addHealth?.(parts.part, () => this.health()) ?? ((): void => undefined);
  }

  get closed(): boolean {
    return this.#closed;
  }

  get status(): FollowStatus {
    const looked = this.#checkedAt === undefined ? "starting" : "current";
    return Object.freeze({
      state: this.#closed ? "closed" : this.#problem === undefined ? looked : "failing",
      revision: this.parts.engine.revision,
      bundle: this.#bundle?.number,
      checkedAt: this.#checkedAt,
      changedAt: this.#changedAt,
      problem: this.#problem,
    });
  }

  private health(): HealthPart {
    const problem = this.#problem;
    if (problem === undefined) return { status: "ok" };
    // Its message may be a failed test's, and quote what somebody sent in it.
    return { status: "degraded", reason: `the policy at its source is not in force: ${problem.reason}` };
  }

  close(): void {
    this.#closed = true;
    this.#leave();
  }

  /** The last good bundle, before the source is asked: it serves should the source be away, and nothing older comes after it. */
  async begin(): Promise<void> {
    const { keep } = this.parts;
    if (keep === undefined) return;
    let text: string | undefined;
    try {
      text = await keep.load();
    } catch {
      this.fail({ reason: "unreadable", message: "the last good bundle cannot be read", from: "kept" });
      return;
    }
    if (text !== undefined) await this.offer(text, "kept");
  }

  /** Never rejects. @returns whether what the text says is in force */
  offer(text: string, from: From = "source"): Promise<boolean> {
    return this.#inTurn(async () => {
      if (this.#closed) return false;
      try {
        await this.take(text, from);
        if (from === "source") this.#checkedAt = this.parts.now();
        this.#problem = undefined;
        return true;
      } catch (error) {
        if (from === "source") this.#checkedAt = this.parts.now();
        this.fail(problemOf(error, from));
        return false;
      }
    });
  }

  /** The source said that nothing has changed. Never rejects. */
  async unchanged(): Promise<void> {
    this.#checkedAt = this.parts.now();
    this.#problem = undefined;
    await this.keep();
  }

  /** Told once as long as it stays the same. */
  fail(problem: PolicyProblem): void {
    if (this.#closed) return;
    const known = this.#problem;
    this.#problem = problem;
    if (known?.reason === problem.reason && known.message === problem.message) return;
    const { onProblem } = this.parts;
    if (onProblem !== undefined) heardBy(onProblem, problem);
  }

  private async take(text: string, from: From): Promise<void> {
    // What it says was judged, and is in force.
    if (text === this.#inForce) return this.keep();
    const candidate = await this.read(text);
    if (candidate.bundle !== undefined) this.requireNewer(candidate.bundle, candidate.policy);
    const { engine } = this.parts;
    const previous = engine.revision;
    const canonical = canonicalJson(candidate.policy);
    await this.test(candidate);
    if (this.#closed) throw new ProblemError("failed", "it was closed meanwhile");
    await engine.replace(candidate.policy);
    this.#inForce = text;
    if (candidate.bundle !== undefined) this.#bundle = { number: candidate.bundle, canonical };
    if (engine.revision !== previous) this.changed(previous, from);
    this.#unkept = from === "source" ? text : undefined;
    await this.keep();
  }

  private async read(text: string): Promise<Candidate> {
    const { verifier, engine, file, tests } = this.parts;
    if (verifier === undefined) return { policy: parsePolicy(text, file), bundle: undefined, tests };
    const bundle = await verifier.verify(text, engine.name, file);
    return { policy: bundle.policy, bundle: bundle.revision, tests: [...bundle.tests, ...tests] };
  }

  private requireNewer(number: number, policy: PolicyDocument): void {
    const before = this.#bundle;
    if (before === undefined || number > before.number) return;
    if (number < before.number) {
      const message = `the bundle has number ${number}, and number ${before.number} was in force`;
      throw new ProblemError("rolled-back", message);
    }
    if (canonicalJson(policy) === before.canonical) return;
    throw new ProblemError("rolled-back", `another bundle of number ${number} was in force`);
  }

  private async test({ policy, tests }: Candidate): Promise<void> {
    if (tests.length === 0) return;
    const { runTests } = this.parts;
    if (runTests === undefined) {
      throw new ProblemError(
        "tests-failed",
        "there are tests, and nothing to run them: hand over `runTests`",
      );
    }
    const failures = await runTests(policy, tests);
    if (failures.length > 0) throw new ProblemError("tests-failed", failures.join("\n"));
  }

  private changed(previous: string, from: From): void {
    this.#changedAt = this.parts.now();
    const { onChange, engine } = this.parts;
    const bundle = this.#bundle?.number;
    if (onChange !== undefined) heardBy(onChange, { revision: engine.revision, previous, bundle, from });
  }

  /** It serves already, so a failure is no reason to take it back. Told once; with every look it is tried again. */
  private async keep(): Promise<void> {
    const [text, { keep, onProblem }] = [this.#unkept, this.parts];
    if (keep === undefined || text === undefined || this.#closed) return;
    try {
      await keep.save(text);
      this.#unkept = undefined;
      this.#unkeptTold = undefined;
    } catch {
      if (this.#unkeptTold === text) return;
      this.#unkeptTold = text;
      const message = "the bundle is in force, and could not be kept for the next start";
      if (onProblem !== undefined) heardBy(onProblem, { reason: "not-kept", message, from: "source" });
    }
  }
}

function problemOf(error: unknown, from: From): PolicyProblem {
  if (error instanceof ProblemError) {
    const { reason, message, diagnostics } = error;
    return { reason, message, ...(diagnostics !== undefined && { diagnostics }), from };
  }
  if (error instanceof PolicyError) {
    const { message, diagnostics } = error;
    const parsed = diagnostics.every(({ code }) => !SYNTAX.has(code));
    return { reason: parsed ? "refused" : "malformed", message, diagnostics, from };
  }
  // Words of strangers may quote anything.
  return { reason: "failed", message: "the policy could not be put in force", from };
}

const SYNTAX = new Set(["syntax", "duplicate-key"]);
