/** Recorded decisions against a candidate policy: what of them it would have decided otherwise, and of what nobody can tell. */
import { createHash } from "node:crypto";
import { checkPolicy, type PolicyDocument, type StageName } from "@gatehouse/core";
import { analyse, type AnalysedPolicy, type ResolvedRoute } from "@gatehouse/core/analysis";
import { alike, canonical } from "../diff/canonical.js";
import type { Side } from "../diff/model.js";
import { CATEGORIES, type Category } from "./choices.js";
import { Router, type Destination } from "./destinations.js";
import { readLine, type RecordedDecision } from "./line.js";
import { outlookOf, type Outlook } from "./outlook.js";
import { Pairing } from "./pairing.js";

export interface ReplayOptions {
  /** Policies that decided, for a log that does not hold them: told apart by their revision. */
  readonly served?: readonly PolicyDocument[];
  /** Examples that are kept of each finding. Default 3. */
  readonly examples?: number;
  /** Called now and then with the number of lines that were read. */
  readonly onProgress?: (lines: number) => void;
}

export interface ReplayReport {
  /** Of the candidate. */
  readonly name: string;
  readonly revision: string;
  readonly lines: number;
  readonly decisions: number;
  readonly counts: Readonly<Record<Category, number>>;
  /** Most frequent first, in the order of the categories. What is the same is only counted. */
  readonly findings: readonly ReplayFinding[];
  /** Events that the log itself says are lost. */
  readonly dropped: number;
  /** Decisions of which a part alone is in the log. */
  readonly sampled: number;
  /** Lines that are none of a log. */
  readonly unreadable: number;
}

export interface ReplayFinding {
  readonly category: Exclude<Category, "same">;
  readonly served: ReplayedVerdict;
  readonly candidate: ReplayedVerdict;
  /** Of `unknown`: what would have to be known. */
  readonly reason: string | undefined;
  readonly count: number;
  readonly examples: readonly ReplayExample[];
}

export interface ReplayedVerdict {
  /** Null: none. Undefined: not known. */
  readonly route: string | null | undefined;
  readonly outcome: "admit" | "refuse" | "answer" | "aborted" | "unknown";
  readonly stage: StageName | undefined;
  readonly code: string | undefined;
}

export interface ReplayExample {
  /** From 1. */
  readonly line: number;
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly method: string;
}

/** More kinds of findings than these are counted, and not told apart. */
const MOST_FINDINGS = 2000;
const PROGRESS_EVERY = 10_000;

/**
 * @param lines of a log as `jsonLines` writes it, or events as JSON by another logger, one a line
 * @throws PolicyError (rejects) for a candidate that cannot be served
 */
export async function replayLog(
  lines: AsyncIterable<string> | Iterable<string>,
  candidate: PolicyDocument,
  options: ReplayOptions = {},
): Promise<ReplayReport> {
  const replay = new Replay(candidate, options);
  let read = 0;
  for await (const line of lines) {
    read += 1;
    replay.take(line, read);
    if (read % PROGRESS_EVERY === 0) options.onProgress?.(read);
  }
  return replay.report(read);
}

interface Counted {
  readonly finding: Omit<ReplayFinding, "count" | "examples">;
  count: number;
  readonly examples: ReplayExample[];
}

/** What a served policy and the candidate have to do with each other. */
interface Compared {
  readonly old: AnalysedPolicy;
  readonly router: Router;
  readonly routes: ReadonlyMap<string, ResolvedRoute>;
  readonly pairings: Map<string, Pairing>;
}

type Judged = Omit<Counted["finding"], "category"> & { readonly category: Category };

class Replay {
  readonly #fresh: AnalysedPolicy;
  readonly #revision: string;
  readonly #compared = new Map<string, Compared | string>();
  readonly #findings = new Map<string, Counted>();
  readonly #counts: Record<Category, number>;
  #decisions = 0;
  #dropped = 0;
  #sampled = 0;
  #unreadable = 0;

  constructor(
    private readonly candidate: PolicyDocument,
    private readonly options: ReplayOptions,
  ) {
    this.#fresh = analyse(candidate);
    this.#revision = revisionOf(candidate);
    this.#counts = { "newly admitted": 0, "newly refused": 0, "changed code": 0, unknown: 0, same: 0 };
    for (const document of options.served ?? []) this.learn(revisionOf(document), document);
  }

  take(text: string, line: number): void {
    if (text === "") return;
    const read = readLine(text);
    if (read === undefined) this.#unreadable += 1;
    else if (read.kind === "policy") this.learn(read.revision, read.document);
    else if (read.kind === "dropped") this.#dropped += read.count;
    else if (read.kind === "decision") this.count(read.decision, line);
  }

  report(lines: number): ReplayReport {
    const place = (category: Category): number => CATEGORIES.indexOf(category);
    const findings = [...this.#findings.values()]
      .toSorted((a, b) => place(a.finding.category) - place(b.finding.category) || b.count - a.count)
      .map(({ finding, count, examples }): ReplayFinding => ({ ...finding, count, examples }));
    return {
      name: this.candidate.name,
      revision: this.#revision,
      lines,
      decisions: this.#decisions,
      counts: this.#counts,
      findings,
      dropped: this.#dropped,
      sampled: this.#sampled,
      unreadable: this.#unreadable,
    };
  }

  /** A document that is not what its revision names decided nothing. */
  private learn(revision: string, document: object): void {
    if (this.#compared.has(revision)) return;
    const policy = document as PolicyDocument;
    const problem =
      revisionOf(document) !== revision
        ? "the policy in the log is not the one that its revision names"
        : checkPolicy(policy).some(({ severity }) => severity === "error")
          ? "the policy in the log cannot be read by this version"
          : undefined;
    if (problem !== undefined) {
      this.#compared.set(revision, problem);
      return;
    }
    const old = analyse(policy);
    this.#compared.set(revision, {
      old,
      router: new Router(old, this.#fresh),
      routes: new Map(old.policy.routes.map((route) => [route.key, route])),
      pairings: new Map(),
    });
  }

  private count(decision: RecordedDecision, line: number): void {
    this.#decisions += 1;
    if (decision.sampled) this.#sampled += 1;
    const { category, ...rest } = this.judge(decision);
    this.#counts[category] += 1;
    if (category === "same") return;
    const finding = { category, ...rest };
    const full = this.#findings.size >= MOST_FINDINGS;
    const key = full && !this.#findings.has(JSON.stringify(finding)) ? category : JSON.stringify(finding);
    const known = this.#findings.get(key) ?? {
      finding: full && key === category ? others(category) : finding,
      count: 0,
      examples: [],
    };
    this.#findings.set(key, known);
    known.count += 1;
    const { id, time, method } = decision;
    if (known.examples.length < (this.options.examples ?? 3)) known.examples.push({ line, id, time, method });
  }

  private judge(decision: RecordedDecision): Judged {
    const served = servedVerdict(decision);
    const blank = { route: undefined, stage: undefined, code: undefined } as const;
    const unknown = (reason: string, candidate: Partial<ReplayedVerdict> = {}): Judged => ({
      category: "unknown",
      served,
      candidate: { ...blank, ...candidate, outcome: "unknown" },
      reason,
    });
    const same = (): Judged => ({ category: "same", served, candidate: served, reason: undefined });
    if (decision.revision === this.#revision) return same();
    if (decision.outcome === "aborted") return unknown("the client left before a decision");
    const compared = this.#compared.get(decision.revision);
    if (compared === undefined)
      return unknown(
        `the policy that decided, revision ${decision.revision.slice(0, 12)}, is not in the log`,
      );
    if (typeof compared === "string") return unknown(compared);
    return this.compare(decision, compared, unknown, same);
  }

  private compare(
    decision: RecordedDecision,
    compared: Compared,
    unknown: (reason: string, candidate?: Partial<ReplayedVerdict>) => Judged,
    same: () => Judged,
  ): Judged {
    const { old, routes, router } = compared;
    if (decision.stage === "normalize" || decision.observed?.stage === "normalize")
      return this.unreadableHead(decision, old, unknown, same);
    if (decision.outcome === "answer") {
      return alike(
        ownAnswers(old, routes.get(decision.route ?? "")),
        ownAnswers(this.#fresh, undefined, decision.route),
      )
        ? same()
        : unknown(
            "the policy's own answers (preflights, redirects) are not compared where their settings differ",
          );
    }
    const route = decision.route === null ? undefined : routes.get(decision.route);
    if (decision.route !== null && route === undefined)
      return unknown("the policy that decided has no such route");
    const { found, complete, missing } = router.destinations(route, decision);
    if (!complete || found.length === 0) return unknown("to which route the path leads was not worked out");
    const judged = found.map((destination) => this.judgeAt(decision, compared, route, destination, unknown));
    const [first] = judged;
    if (first !== undefined && judged.every((one) => alike(verdictOf(one), verdictOf(first)))) return first;
    const keys = found.map((one) => (one.route === undefined ? "no route" : `\`${one.route.key}\``));
    return unknown(`${missing ?? "the path"} was not recorded: it leads to ${keys.join(" or ")}`);
  }

  /** Which head can be read in one way does not depend on the policy, only whether anything is refused at all. */
  private unreadableHead(
    decision: RecordedDecision,
    old: AnalysedPolicy,
    unknown: (reason: string) => Judged,
    same: () => Judged,
  ): Judged {
    const [before, after] = [observesAll(old), observesAll(this.#fresh)];
    if (before === after) return same();
    if (before) return unknown("a head that can be read in two ways was let pass in observe mode");
    const served = servedVerdict(decision);
    return { category: "newly admitted", served, candidate: { ...ADMITTED, route: null }, reason: undefined };
  }

  private judgeAt(
    decision: RecordedDecision,
    compared: Compared,
    route: ResolvedRoute | undefined,
    destination: Destination,
    unknown: (reason: string, candidate: Partial<ReplayedVerdict>) => Judged,
  ): Judged {
    const key = destination.route?.key ?? null;
    const outlook = this.outlookAt(decision, compared, route, destination);
    const served = servedVerdict(decision);
    if (outlook.kind === "unknown") return unknown(outlook.why, { route: key, stage: outlook.stage });
    if (outlook.kind === "pass") {
      const category = served.outcome === "admit" ? "same" : "newly admitted";
      return { category, served, candidate: { ...ADMITTED, route: key }, reason: undefined };
    }
    const { stage, code } = outlook;
    const candidate: ReplayedVerdict = { route: key, outcome: "refuse", stage, code };
    if (served.outcome === "admit")
      return { category: "newly refused", served, candidate, reason: undefined };
    if (code === undefined)
      return {
        category: "unknown",
        served,
        candidate,
        reason: "it is refused as before; by which code was not worked out",
      };
    const told = shownCode(code, stage, destination.route);
    const category = told === (decision.concealed ? "not-found" : decision.code) ? "same" : "changed code";
    return { category, served, candidate, reason: undefined };
  }

  private outlookAt(
    decision: RecordedDecision,
    { old, pairings }: Compared,
    route: ResolvedRoute | undefined,
    { route: after, code }: Destination,
  ): Outlook {
    const key = JSON.stringify([route?.key, after?.key]);
    const pairing =
      pairings.get(key) ?? new Pairing(sideOf("old", old, route), sideOf("new", this.#fresh, after));
    pairings.set(key, pairing);
    const outlook = outlookOf(pairing, unmatchedEnd(decision, route));
    // What comes before the route was asked; behind it there is nothing more to ask.
    if (after !== undefined || pairing.fresh.route.mode === "observe") return outlook;
    const before = outlook.kind !== "pass" && BEFORE_ROUTE.has(outlook.stage);
    return before ? outlook : { kind: "refuse", stage: "route", code: code ?? "not-found" };
  }
}

const ADMITTED = { outcome: "admit", stage: undefined, code: undefined } as const;
const BEFORE_ROUTE: ReadonlySet<StageName> = new Set(["global-limit", "transport"]);

/** Of a request without a route nothing is known that comes behind it. */
function unmatchedEnd(decision: RecordedDecision, route: ResolvedRoute | undefined): RecordedDecision {
  return route === undefined && decision.outcome === "admit" && decision.observed === undefined
    ? { ...decision, observed: { stage: "route", code: "not-found" } }
    : decision;
}

function others(category: Exclude<Category, "same">): Counted["finding"] {
  const verdict: ReplayedVerdict = {
    route: undefined,
    outcome: "unknown",
    stage: undefined,
    code: undefined,
  };
  return {
    category,
    served: verdict,
    candidate: verdict,
    reason: "others, of more kinds than are told apart",
  };
}

function sideOf(name: Side["name"], analysed: AnalysedPolicy, route: ResolvedRoute | undefined): Side {
  return { name, analysed, route: route ?? analysed.policy.unmatched, matched: route !== undefined };
}

function servedVerdict({ route, outcome, stage, code }: RecordedDecision): ReplayedVerdict {
  return { route, outcome, stage: outcome === "refuse" ? stage : undefined, code };
}

function verdictOf({ category, candidate }: Judged): unknown {
  return [category, candidate.outcome, candidate.code];
}

const CONCEALED: ReadonlySet<StageName> = new Set(["authorize", "authorize-body", "check"]);
const FORBIDDEN: ReadonlySet<string> = new Set(["forbidden", "insufficient-scope", "condition-error"]);

/** What the caller is told: on a route that conceals every 403 is the handler's own 404. */
function shownCode(code: string, stage: StageName, route: ResolvedRoute | undefined): string {
  return route?.conceal === true && CONCEALED.has(stage) && FORBIDDEN.has(code) ? "not-found" : code;
}

function observesAll({ policy }: AnalysedPolicy): boolean {
  return policy.unmatched.mode === "observe" && policy.routes.every(({ mode }) => mode === "observe");
}

function ownAnswers(
  { policy }: AnalysedPolicy,
  route: ResolvedRoute | undefined,
  key: string | null = null,
): unknown {
  const one = route ?? policy.routes.find((other) => other.key === key) ?? policy.unmatched;
  const { transport, protectedResource } = policy.document;
  const callers = one.authenticate.anyOf.map((together) => together.map(({ carrier }) => carrier));
  return [
    one.key,
    one.mode,
    one.cors?.value,
    one.audience,
    one.transport,
    transport,
    protectedResource,
    callers,
  ];
}

/** SHA-256 of the canonical document (RFC 8785). */
export function revisionOf(document: object): string {
  return createHash("sha256").update(canonical(document)).digest("hex");
}
